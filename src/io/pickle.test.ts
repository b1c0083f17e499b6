import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InputError } from '../errors.ts';
import { concatBytes } from './concat.ts';
import { unpickle } from './pickle.ts';
import { plainGlobals } from './pickleGlobals.ts';
import type { PickleGlobals, PickleRule, PickleValue } from './pickleValue.ts';
import { type PickleNode, pickleChunks } from './pickleWriter.ts';
import { vector, vectorNames } from './testdata/support.ts';

const globals: PickleGlobals = new Map(plainGlobals);
const load = (bytes: Uint8Array, allowed = globals) =>
  unpickle(bytes, 'test.pkl', { globals: allowed, fix: 'mend it' });
const ascii = (text: string) => new Uint8Array(Buffer.from(text, 'latin1'));

/** Plain JavaScript for comparison: tuples tagged, dicts as pairs, bytes as hexadecimal. */
function plain(value: PickleValue): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex');
  if (typeof value !== 'object' || value === null) return value;
  const writers: { readonly [kind: string]: () => unknown } = {
    dict: () => 'entries' in value && [...value.entries].map(([k, v]) => [k, plain(v)]),
    list: () => 'items' in value && value.items.map(plain),
    tuple: () => 'items' in value && { tuple: value.items.map(plain) },
    set: () => 'items' in value && { set: value.items.map(plain) },
  };
  return writers[value.kind]();
}

describe('pickles Python wrote', () => {
  it.each(vectorNames('pickle/protocol'))('%s', (name) => {
    const tuple = (...items: unknown[]) => ({ tuple: items });
    expect(plain(load(vector(name)))).toEqual([
      ['none', null],
      ['flags', [true, false]],
      [
        'ints',
        [0, 255, 256, 65535, 65536, -1, -(2 ** 31), 2 ** 31, 2 ** 53 - 1, 2n ** 70n, -(2n ** 70n)],
      ],
      ['floats', [0.5, -1e300, 1e-9, Number.POSITIVE_INFINITY]],
      ['text', 'naïve ☃ 𝄞\n\\ end'],
      ['tuples', [tuple(), tuple(1), tuple(1, 2), tuple(1, 2, 3), tuple(1, 2, 3, 4)]],
      ['nested', [['a', [['b', [[]]]]]]],
      ['data', '00ff'],
      ['array', '6162'],
      [
        'numbers',
        [
          [1, 'one'],
          [-2, 'two'],
        ],
      ],
      ['long_text', 'x'.repeat(300)],
      ['long_data', '79'.repeat(300)],
      ['again', [true, false]],
    ]);
  });

  it('sets', () => {
    expect(plain(load(vector('pickle/set')))).toEqual([{ set: [7] }, { set: [8] }]);
  });
});

describe('globals', () => {
  const call = (text: string) => () => load(ascii(text));

  it.each([
    ['os.system by name', "cos\nsystem\n(S'true'\ntR."],
    ['by the stack', '\x8c\x02os\x8c\x06system\x93.'],
    ['as an instance', "(S'true'\nios\nsystem\n."],
    ['as a mere mention', 'cos\nsystem\n.'],
  ])('%s is refused', (_, text) => {
    expect(call(text)).toThrow("test.pkl: the pickle asks for 'os.system', which is not allowed");
  });

  it.each(['__proto__', 'constructor', 'toString'])('%s names nothing', (name) => {
    expect(call(`cObject\n${name}\n.`)).toThrow('not allowed');
  });

  it('a listed name runs our rule and nothing else', () => {
    const seen: unknown[] = [];
    const allowed: PickleGlobals = new Map<string, PickleRule | null>([
      [
        'm.f',
        (args) => {
          seen.push(...args);
          return 'made';
        },
      ],
      ['m.mark', null],
    ]);
    expect(load(ascii('cm\nf\nK\x05\x85R.'), allowed)).toBe('made');
    expect(seen).toEqual([5]);
    expect(() => load(ascii('cm\nmark\n)R.'), allowed)).toThrow('no function here');
  });
});

describe('hostile pickles', () => {
  it.each([
    ['nothing', ''],
    ['no end', 'N'],
    ['an empty stack', '.'],
    ['a pop below the mark', 'N(\x85.'],
    ['a mark that was never set', 't.'],
    ['a mark left open', '(N.'],
    ['a value left over', 'NN.'],
    ['bytes after the end', 'N.N'],
    ['an unknown instruction', '\xff'],
    ['an unknown protocol', '\x80\x06N.'],
    ['an unknown memo', 'h\x07.'],
    ['a string longer than the file', 'X\xff\xff\xff\xffab.'],
    ['bytes longer than memory', '\x8e\xff\xff\xff\xff\xff\xff\xff\xffab.'],
    ['text that is no UTF-8', 'X\x01\x00\x00\x00\xff.'],
    ['an absurd integer', `\x8b\x00\x10\x00\x00${'a'.repeat(4096)}.`],
    ['an unreadable integer', 'I1x\n.'],
    ['an unreadable float', 'Fone\n.'],
    ['a list as key', '}]Ns.'],
    ['an odd number of items', '}(Nu.'],
    ['an append to a dict', '}Na.'],
    ['a state for a number', 'K\x01Nb.'],
    ['an extension', '\x82\x01.'],
    ['an outside buffer', '\x97.'],
    ['an overlong line', `I${'1'.repeat(5000)}\n.`],
    ['an overlong text', `V${'x'.repeat(2 ** 24 + 1)}\n.`],
    ['outside data', 'NQ.'],
    ['a call of a number', 'K\x01)R.'],
  ])('%s', (_, text) => {
    expect(() => load(ascii(text))).toThrow(InputError);
  });

  it('depth costs no call stack', () => {
    const deep = `${']'.repeat(100_000)}${'a'.repeat(99_999)}.`;
    expect(load(ascii(deep))).toHaveProperty('kind', 'list');
  });

  it('too many instructions', () => {
    expect(() => load(ascii('N0'.repeat(1_100_000)))).toThrow('too many instructions');
  });

  it('more containers than a file of its size may ask for', () => {
    expect(() => load(ascii(']'.repeat(2_000_000)))).toThrow('unfolds to more than 64 MiB');
  });

  it('one text encoded again and again', () => {
    const text = 'x'.repeat(1_000_000);
    const once = 'h\x00h\x01\x86R0';
    const size = Buffer.alloc(4);
    size.writeUInt32LE(text.length);
    const head = `c_codecs\nencode\nq\x02X${size.toString('latin1')}${text}q\x00X\x06\x00\x00\x00latin1q\x01`;
    const body = `h\x02${once}`.repeat(200);
    expect(() => load(ascii(`${head}${body}N.`))).toThrow('unfolds to more than 64 MiB');
  });
});

const leaf: fc.Arbitrary<PickleNode> = fc.oneof(
  fc.constantFrom(null, true, false),
  fc.maxSafeInteger(),
  fc.double(),
  fc.string({ unit: 'grapheme' }),
  fc.uint8Array(),
);
const { tree } = fc.letrec<{ tree: PickleNode }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 4 },
    leaf,
    fc.array(tie('tree')).map((list) => ({ list })),
    fc.array(tie('tree')).map((tuple) => ({ tuple })),
    fc
      .uniqueArray(fc.tuple(fc.string(), tie('tree')), { selector: ([key]) => key })
      .map((dict) => ({ dict })),
  ),
}));

/** What `plain` makes of the node once written and read. */
function expected(node: PickleNode): unknown {
  if (node instanceof Uint8Array) return Buffer.from(node).toString('hex');
  if (typeof node !== 'object' || node === null) return node;
  if ('list' in node) return node.list.map(expected);
  if ('tuple' in node) return { tuple: node.tuple.map(expected) };
  return 'dict' in node ? node.dict.map(([k, v]) => [k, expected(v)]) : undefined;
}

it('reads back what it writes', () => {
  fc.assert(
    fc.property(tree, (node) => {
      expect(plain(load(concatBytes(pickleChunks(node, 3))))).toEqual(expected(node));
    }),
  );
});
