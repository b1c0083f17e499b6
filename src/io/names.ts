import { InputError } from '../errors.ts';

const MAX_LENGTH = 1024;

/** Text out of a file on one line, without control characters. */
export const oneLine = (text: string): string => text.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, '?');

/** The same as it may stand in a message: short, too. */
export const printable = (text: string): string => {
  const clean = oneLine(text.slice(0, 80));
  return text.length > 80 ? `${clean}…` : clean;
};

const textFault = (text: string): string | undefined => {
  if (text.includes('\0')) return 'contains a NUL character';
  if (/\p{Surrogate}/u.test(text)) return 'contains half a surrogate pair';
  return undefined;
};

const nameFault = (name: string): string | undefined =>
  name.length > MAX_LENGTH ? `is longer than ${MAX_LENGTH} characters` : textFault(name);

/** Throws InputError for a tensor name that would not come back from a file as it went in. */
export function checkNames(names: Iterable<string>, format: string): void {
  for (const name of names) {
    const fault = nameFault(name);
    if (fault === undefined) continue;
    throw new InputError(`tensor name '${printable(name)}' ${fault}`, {
      where: `${format} file`,
      fix: 'rename the tensor',
    });
  }
}

/** Throws InputError for metadata that would not come back from a file as it went in; text may be long. */
export function checkMetadata(metadata: Readonly<Record<string, string>>, format: string): void {
  checkNames(Object.keys(metadata), format);
  for (const [key, text] of Object.entries(metadata)) {
    const fault = textFault(text);
    if (fault === undefined) continue;
    throw new InputError(`metadata '${printable(key)}' ${fault}`, {
      where: `${format} file`,
      fix: 'leave it out',
    });
  }
}
