import { isKind, type PickleDict, type PickleRule, type PickleValue } from './pickleValue.ts';

/** `_codecs.encode(text, 'latin1')`: how protocols 0 to 2 carry bytes. */
const encode: PickleRule = ([value, encoding], { damaged, spend }) => {
  if (typeof value !== 'string' || (encoding !== 'latin1' && encoding !== 'latin-1')) {
    throw damaged('the pickle encodes what is no latin1 text');
  }
  for (let i = 0; i < value.length; i++) {
    if (value.charCodeAt(i) > 0xff) throw damaged('the pickle encodes what is no latin1 text');
  }
  spend(value.length);
  return new Uint8Array(Buffer.from(value, 'latin1'));
};

const bytearray: PickleRule = ([value], { damaged }) => {
  if (value === undefined) return new Uint8Array(0);
  if (!(value instanceof Uint8Array)) throw damaged('the pickle makes bytes of what are none');
  return value;
};

const pairOf = (value: PickleValue): readonly PickleValue[] | undefined =>
  isKind(value, 'tuple') || isKind(value, 'list') ? value.items : undefined;

/** OrderedDict() or, as Python 2 wrote it, OrderedDict of a list of pairs. */
const orderedDict: PickleRule = ([pairs, ...rest], { damaged, spend }) => {
  const made: PickleDict = { kind: 'dict', entries: new Map() };
  if (pairs === undefined) return made;
  if (!isKind(pairs, 'list') || rest.length > 0)
    throw damaged('the pickle makes an odd OrderedDict');
  spend(64 * pairs.items.length);
  for (const pair of pairs.items) {
    const [key, value] = pairOf(pair) ?? [];
    if (typeof key !== 'string' || value === undefined) {
      throw damaged('the pickle makes an odd OrderedDict');
    }
    made.entries.set(key, value);
  }
  return made;
};

/** The globals that build plain values only; no file format of ours needs others but its own. */
export const plainGlobals: readonly (readonly [string, PickleRule])[] = [
  ['_codecs.encode', encode],
  ['builtins.bytearray', bytearray],
  ['__builtin__.bytearray', bytearray],
  ['builtins.bytes', bytearray],
  ['__builtin__.bytes', bytearray],
  ['collections.OrderedDict', orderedDict],
];
