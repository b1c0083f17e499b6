import { InputError } from '../errors.ts';

const MAX_LENGTH = 1024;

/** Text out of a file as it may stand in a message: one line, short, no control characters. */
export const printable = (text: string): string => {
  const clean = text.slice(0, 80).replace(/[\p{C}\p{Zl}\p{Zp}]/gu, '?');
  return text.length > 80 ? `${clean}…` : clean;
};

const faultOf = (name: string): string | undefined => {
  if (name.length > MAX_LENGTH) return `is longer than ${MAX_LENGTH} characters`;
  if (name.includes('\0')) return 'contains a NUL character';
  if (/\p{Surrogate}/u.test(name)) return 'contains half a surrogate pair';
  return undefined;
};

/** Throws InputError for a tensor name that would not come back from a file as it went in. */
export function checkNames(names: Iterable<string>, format: string): void {
  for (const name of names) {
    const fault = faultOf(name);
    if (fault === undefined) continue;
    throw new InputError(`tensor name '${printable(name)}' ${fault}`, {
      where: `${format} file`,
      fix: 'rename the tensor',
    });
  }
}
