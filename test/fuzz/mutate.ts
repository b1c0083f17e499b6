import fc from 'fast-check';
import { mutations } from '../../src/io/testdata/support.ts';

type Bytes = Uint8Array;
export type Mutant = fc.Arbitrary<Bytes>;

const join = (...parts: readonly Bytes[]): Bytes => new Uint8Array(Buffer.concat(parts));
const latin = (text: string): Bytes => Uint8Array.from(Buffer.from(text, 'latin1'));

/** Numbers at which counters, lengths and offsets go wrong, `near` among them. */
const oddNumbers = (near: readonly number[]): fc.Arbitrary<bigint> =>
  fc.oneof(
    fc.constantFrom(
      0n,
      1n,
      0x7fn,
      0xffn,
      0x7fffn,
      0xffffn,
      2n ** 31n - 1n,
      2n ** 31n,
      2n ** 32n - 1n,
    ),
    fc.constantFrom(2n ** 53n, 2n ** 63n - 1n, 2n ** 64n - 1n, 1_000_000n, 100_000_000n),
    fc
      .tuple(fc.constantFrom(...near), fc.integer({ min: -2, max: 2 }))
      .map(([n, d]) => BigInt(Math.max(0, n + d))),
  );

/** A number of one to eight bytes written over whatever stands at one of `places`. */
export function fields(file: Bytes, places: readonly number[]): Mutant {
  if (places.length === 0) return fc.constant(file);
  const near = [file.byteLength, Math.floor(file.byteLength / 2)];
  return fc
    .tuple(fc.constantFrom(...places), fc.constantFrom(1, 2, 4, 8), oddNumbers(near), fc.boolean())
    .map(([at, width, value, big]) => {
      const number = Buffer.alloc(8);
      if (big) number.writeBigUInt64BE(BigInt.asUintN(width * 8, value) << BigInt(64 - width * 8));
      else number.writeBigUInt64LE(value);
      const out = Uint8Array.from(file);
      out.set(number.subarray(0, Math.min(width, out.length - at)), at);
      return out;
    });
}

/** Where a field may begin: every byte of the first and last 64, and of what follows a signature. */
export function places(file: Bytes, signatures: readonly string[] = []): number[] {
  const found = new Set<number>();
  const range = (from: number, to: number): void => {
    for (let i = Math.max(0, from); i < Math.min(file.byteLength, to); i++) found.add(i);
  };
  range(0, 64);
  range(file.byteLength - 64, file.byteLength);
  for (const signature of signatures) {
    for (let at = -1; ; ) {
      at = Buffer.from(file).indexOf(signature, at + 1, 'latin1');
      if (at < 0) break;
      range(at, at + 48);
    }
  }
  return [...found];
}

const oddTexts = [
  '',
  '0',
  '-1',
  '1e9',
  '4294967296',
  '99999999999',
  '9007199254740993',
  '1'.repeat(400),
  'None',
  '"x"',
  '[]',
  '()',
  'null',
  '{}',
  'NaN',
];

/** One of the decimal numbers in the text of a file replaced by another word. */
export function numerals(file: Bytes): Mutant {
  const text = Buffer.from(file).toString('latin1');
  const found = [...text.matchAll(/\d+/g)];
  if (found.length === 0) return fc.constant(file);
  return fc
    .tuple(fc.constantFrom(...found), fc.oneof(fc.constantFrom(...oddTexts), fc.nat().map(String)))
    .map(([{ index, 0: digits }, word]) =>
      latin(text.slice(0, index) + word + text.slice(index + digits.length)),
    );
}

/** A word of the format's own language put in somewhere, once or a thousand times. */
export const words = (file: Bytes, dictionary: readonly string[]): Mutant =>
  fc
    .tuple(
      fc.nat({ max: file.byteLength }),
      fc.constantFrom(...dictionary),
      fc.constantFrom(1, 1, 2, 1000),
    )
    .map(([at, word, times]) =>
      join(file.subarray(0, at), latin(word.repeat(times)), file.subarray(at)),
    );

/** A stretch of the file, or of a relative of its, copied to another place. */
export const splices = (file: Bytes, relatives: readonly Bytes[]): Mutant =>
  fc
    .tuple(fc.constantFrom(file, ...relatives), fc.nat(), fc.nat(), fc.nat(), fc.boolean())
    .map(([from, start, length, at, over]) => {
      const begin = start % (from.byteLength + 1);
      const piece = from.subarray(begin, begin + (length % (from.byteLength - begin + 1)));
      const place = at % (file.byteLength + 1);
      return join(
        file.subarray(0, place),
        piece,
        file.subarray(over ? place + piece.byteLength : place),
      );
    });

export interface Language {
  /** Byte strings that begin a record of the format, so that their fields are found. */
  readonly signatures?: readonly string[];
  /** Words that mean something in it. */
  readonly dictionary?: readonly string[];
}

/** Everything that can be done to a file without knowing more of it than its language's words. */
export const mutants = (
  file: Bytes,
  relatives: readonly Bytes[],
  { signatures = [], dictionary = ['\0'] }: Language = {},
): Mutant =>
  fc.oneof(
    mutations(file),
    fields(file, places(file, signatures)),
    numerals(file),
    words(file, dictionary),
    splices(file, relatives),
  );

/** Mutants of mutants, now and then. */
export const often = (file: Bytes, once: (file: Bytes) => Mutant): Mutant =>
  fc.oneof(
    { weight: 4, arbitrary: once(file) },
    {
      weight: 1,
      arbitrary: once(file).chain((m) => (m.byteLength === 0 ? fc.constant(m) : once(m))),
    },
  );

/** A JSON text with one of its values gone, doubled, renamed or replaced by another kind. */
export function jsonMutants(text: string): fc.Arbitrary<string> {
  const paths: (readonly string[])[] = [];
  const walk = (value: unknown, path: readonly string[]): void => {
    if (path.length > 0) paths.push(path);
    if (value === null || typeof value !== 'object') return;
    for (const [key, inner] of Object.entries(value)) walk(inner, [...path, key]);
  };
  walk(JSON.parse(text), []);
  const deep = (depth: number): unknown => JSON.parse('['.repeat(depth) + ']'.repeat(depth));
  const odd = fc.oneof(
    fc.constantFrom<unknown>(
      null,
      true,
      '',
      '../../etc/passwd',
      '/dev/zero',
      'a\0b',
      -1,
      1e308,
      2 ** 53,
      [],
      {},
      deep(2000),
    ),
    fc.jsonValue({ maxDepth: 2 }),
  );
  return fc
    .tuple(
      fc.constantFrom(...paths),
      fc.constantFrom('drop', 'replace', 'rename'),
      odd,
      fc.string(),
    )
    .map(([path, kind, value, name]) => {
      const root = JSON.parse(text);
      const key = path[path.length - 1];
      const parent = path.slice(0, -1).reduce((at, step) => at[step], root);
      const old = parent[key];
      if (kind !== 'replace') delete parent[key];
      if (kind === 'replace') parent[key] = value;
      if (kind === 'rename' && !Array.isArray(parent)) parent[name] = old;
      return JSON.stringify(root);
    });
}
