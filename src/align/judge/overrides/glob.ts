/** Whether a name fits one of some patterns, in which `*` stands for any text and `?` for one character. */
export function fits(name: string, globs: readonly string[]): boolean {
  return globs.some((glob) => {
    const text = glob.replaceAll(/[.+^${}()|[\]\\]/g, '\\$&');
    return new RegExp(`^${text.replaceAll('*', '.*').replaceAll('?', '.')}$`, 's').test(name);
  });
}
