import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InputError } from '../../errors.ts';
import { concatBytes } from '../concat.ts';
import { vector, vectorNames } from '../testdata/support.ts';
import { unpickle } from './pickle.ts';
import { plainGlobals } from './pickleGlobals.ts';
import {
  isKind,
  type PickleGlobals,
  type PickleRule,
  type PickleValue,
  sizesOf,
} from './pickleValue.ts';
import { type PickleNode, pickleChunks } from './pickleWriter.ts';

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
  const text = { kind: 'global', name: 'os.system', rule: undefined };

  it.each([
    ['by name', "cos\nsystem\n(S'true'\ntR."],
    ['by the stack', "\x8c\x02os\x8c\x06system\x93S'true'\n\x85R."],
    ['as an instance', "(S'true'\nios\nsystem\n."],
    ['as an object', "(cos\nsystem\nS'true'\no."],
    ['as a class', "cos\nsystem\nS'true'\n\x85\x81."],
  ])('os.system called %s is what it was given, and never run', (_, pickle) => {
    expect(load(ascii(pickle))).toEqual({ kind: 'opaque', name: 'os.system', args: ['true'] });
  });

  it('a mere mention is a mark', () => {
    expect(load(ascii('cos\nsystem\n.'))).toEqual(text);
  });

  it('what is done to an unknown object is kept with it', () => {
    const made = load(ascii("cm\nC\n)R(K\x01K\x02eS'k'\nK\x03s}S'a'\nK\x04sb."));
    expect(made).toEqual({
      kind: 'opaque',
      name: 'm.C',
      args: [],
      items: [1, 2],
      entries: new Map([['k', 3]]),
      state: { kind: 'dict', entries: new Map([['a', 4]]) },
    });
  });

  it('a call of one is one', () => {
    const inner = { kind: 'opaque', name: 'm.partial', args: [] };
    expect(load(ascii('cm\npartial\n)RK\x05\x85R.'))).toEqual({
      ...inner,
      args: [inner, { kind: 'tuple', items: [5] }],
    });
  });

  it.each(['__proto__', 'constructor', 'toString'])('%s names nothing', (name) => {
    expect(load(ascii(`cObject\n${name}\n.`))).toEqual({ ...text, name: `Object.${name}` });
  });

  it('a listed name runs our rule and nothing else', () => {
    const seen: unknown[] = [];
    const allowed: PickleGlobals = new Map<string, PickleRule>([
      [
        'm.f',
        (args) => {
          seen.push(...args);
          return 'made';
        },
      ],
    ]);
    expect(load(ascii('cm\nf\nK\x05\x85R.'), allowed)).toBe('made');
    expect(seen).toEqual([5]);
  });

  it('tuples and other hashable things are keys', () => {
    const made = load(ascii('}K\x01K\x02\x86K\x03scm\nA\nK\x04s.'));
    expect(made).toHaveProperty('entries.size', 2);
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
    ['a global of absurd length', `c${'m'.repeat(800)}\n${'n'.repeat(800)}\n.`],
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

/**
 * What a file could make cost more than it is long, by naming one long value again and again: each must end
 * by a limit that is counted in bytes, at the same place on every machine.
 */
describe('one long value named many times', () => {
  const long = `(${'N'.repeat(100_000)}t`;
  const many = (once: string) => once.repeat(100_000);

  it('as the arguments of a call of an unknown object is not copied', () => {
    const made = load(ascii(`cm\nC\n)Rq\x000${long}q\x010(${many('h\x00h\x01R')}l.`));
    const [first, second] = isKind(made, 'list') ? made.items : [];
    const args = (value: PickleValue) => isKind(value, 'opaque') && value.args[1];
    const items = (value: PickleValue) => isKind(value, 'tuple') && value.items;
    expect(items(args(first) as PickleValue)).toHaveLength(100_000);
    expect(items(args(second) as PickleValue)).toBe(items(args(first) as PickleValue));
  });

  it('as a shape is none', () => {
    const zeros = `(${'K\x00'.repeat(100_000)}t`;
    const value = load(ascii(`${zeros}.`));
    expect(sizesOf(value)).toBeUndefined();
  });

  it('as the name of a global', () => {
    const name = 'x'.repeat(500);
    const pickle = `V${name}\nq\x000(${many('h\x00h\x00\x93')}l.`;
    expect(() => load(ascii(pickle))).toThrow('unfolds to more than 64 MiB');
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
