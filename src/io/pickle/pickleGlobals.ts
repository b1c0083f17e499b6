import { isKind, type PickleDict, type PickleRule, type PickleValue } from './pickleValue.ts';

/** `_codecs.encode(text, 'latin1')`: how protocols 0 to 2 carry bytes. */
const encode: PickleRule = ([value, encoding], { spend }) => {
  if (typeof value !== 'string' || (encoding !== 'latin1' && encoding !== 'latin-1')) {
    return undefined;
  }
  spend(value.length);
  const bytes = Buffer.from(value, 'latin1');
  // The same text may be encoded many times: checked by the library, not a character a step.
  return bytes.toString('latin1') === value ? new Uint8Array(bytes) : undefined;
};

const bytearray: PickleRule = ([value]) => {
  if (value === undefined) return new Uint8Array(0);
  return value instanceof Uint8Array ? value : undefined;
};

const pairOf = (value: PickleValue): readonly PickleValue[] | undefined =>
  isKind(value, 'tuple') || isKind(value, 'list') ? value.items : undefined;

/** OrderedDict() or, as Python 2 wrote it, OrderedDict of a list of pairs. */
const orderedDict: PickleRule = ([pairs, ...rest], { spend }) => {
  const made: PickleDict = { kind: 'dict', entries: new Map() };
  if (pairs === undefined) return made;
  if (!isKind(pairs, 'list') || rest.length > 0) return undefined;
  spend(64 * pairs.items.length);
  for (const pair of pairs.items) {
    const [key, value] = pairOf(pair) ?? [];
    if (typeof key !== 'string' || value === undefined) return undefined;
    made.entries.set(key, value);
  }
  return made;
};

/** `Counter({…})`: a dict, and the same one. */
const counter: PickleRule = ([counts]) => (isKind(counts, 'dict') ? counts : undefined);

/** `defaultdict(factory)`: what it would make by itself does not matter to what it holds. */
const defaultDict: PickleRule = () => ({ kind: 'dict', entries: new Map() });

const set: PickleRule = ([items]) =>
  isKind(items, 'list') ? { kind: 'set', items: items.items } : undefined;

/** The globals that build plain values only. */
export const plainGlobals: readonly (readonly [string, PickleRule])[] = [
  ['_codecs.encode', encode],
  ...['builtins', '__builtin__'].flatMap(
    (module) =>
      [
        [`${module}.bytearray`, bytearray],
        [`${module}.bytes`, bytearray],
        [`${module}.set`, set],
        [`${module}.frozenset`, set],
      ] as const,
  ),
  ['collections.OrderedDict', orderedDict],
  ['collections.Counter', counter],
  ['collections.defaultdict', defaultDict],
];
