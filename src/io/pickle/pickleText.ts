import type { PickleContext } from './pickleValue.ts';

const number = (value: bigint): number | bigint =>
  value >= BigInt(Number.MIN_SAFE_INTEGER) && value <= BigInt(Number.MAX_SAFE_INTEGER)
    ? Number(value)
    : value;

/** A little-endian two's complement integer of any length. */
export function longFromBytes(bytes: Uint8Array, { damaged }: PickleContext): number | bigint {
  // Longer ones are never sizes or values of ours, only slow.
  if (bytes.byteLength > 1024) throw damaged('the pickle holds an integer of absurd length');
  if (bytes.byteLength === 0) return 0;
  const hex = Buffer.from(bytes).reverse().toString('hex');
  return number(BigInt.asIntN(bytes.byteLength * 8, BigInt(`0x${hex}`)));
}

/** A decimal integer as protocols 0 and 1 write it, with or without the L of Python 2. */
export function longFromText(line: string, { damaged }: PickleContext): number | bigint {
  const [, digits] = /^\s*([-+]?\d{1,1000})L?\s*$/.exec(line) ?? [];
  if (digits === undefined) throw damaged('the pickle holds an unreadable integer');
  return number(BigInt(digits.replace('+', '')));
}

/** INT lines: `00` and `01` are False and True. */
export function intFromText(line: string, context: PickleContext): boolean | number | bigint {
  return line === '00' ? false : line === '01' ? true : longFromText(line, context);
}

const special: { readonly [text: string]: number } = {
  nan: Number.NaN,
  inf: Number.POSITIVE_INFINITY,
  '-inf': Number.NEGATIVE_INFINITY,
};

export function floatFromText(line: string, { damaged }: PickleContext): number {
  const text = line.trim();
  if (Object.hasOwn(special, text)) return special[text];
  if (!/^[-+]?\d+(\.\d*)?(e[-+]?\d+)?$/i.test(text)) {
    throw damaged('the pickle holds an unreadable float');
  }
  return Number(text);
}

/** Raw Unicode escapes: only backslash-u and backslash-U stand for something else. */
export function unescapeRaw(line: string, { damaged }: PickleContext): string {
  return line.replace(
    /\\u([\da-fA-F]{4})|\\U([\da-fA-F]{8})/g,
    (_, four?: string, eight?: string) => {
      const code = Number.parseInt(four ?? eight ?? '', 16);
      if (code > 0x10ffff) throw damaged('the pickle holds a character that does not exist');
      return String.fromCodePoint(code);
    },
  );
}

const escapes: { readonly [letter: string]: string } = {
  '\\': '\\',
  "'": "'",
  '"': '"',
  n: '\n',
  r: '\r',
  t: '\t',
  b: '\b',
  f: '\f',
  v: '\v',
  a: '\x07',
};

/** A quoted byte string as Python 2 wrote it, a character a byte. */
export function unquote(line: string, { damaged }: PickleContext): string {
  const quoted = line.trim();
  const quote = quoted[0];
  if (quoted.length < 2 || (quote !== "'" && quote !== '"') || !quoted.endsWith(quote)) {
    throw damaged('the pickle holds an unreadable string');
  }
  return quoted
    .slice(1, -1)
    .replace(/\\(?:x([0-9a-f]{2})|([0-7]{1,3})|(.))/gi, (whole, hex, octal, letter) => {
      if (hex !== undefined) return String.fromCharCode(Number.parseInt(hex, 16));
      if (octal !== undefined) return String.fromCharCode(Number.parseInt(octal, 8) & 0xff);
      return Object.hasOwn(escapes, letter) ? escapes[letter] : whole;
    });
}
