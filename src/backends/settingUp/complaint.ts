/** The first thing a tool complained about, of all that it wrote. */
export function complaint(output: string): string {
  const lines = output.split('\n').filter((line) => line.trim() !== '');
  const at = lines.find((line) => /\berror\b/i.test(line)) ?? lines.at(-1);
  return (at ?? 'it said nothing').trim();
}
