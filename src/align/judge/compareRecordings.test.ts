import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Arrays } from '../../io/numpy/arrays.ts';
import { readRecording } from '../../io/recording.ts';
import { pythonFloat } from '../../report/pythonFloat.ts';
import {
  type DType,
  type Tensor,
  type TensorMap,
  tensor,
  toFloat64,
  zeros,
} from '../../tensor/tensor.ts';
import { reprodMeasures, reprodMethods, roundToHalf } from '../measure/reprodMeasures.ts';
import {
  type CompareOptions,
  type Comparison,
  compareRecordings as compareArrays,
} from './compareRecordings.ts';

type Said = Readonly<Record<(typeof reprodMethods)[number], string>>;

interface Vectors {
  readonly pairs: Readonly<
    Record<
      string,
      { readonly files: [string, string]; readonly values: Readonly<Record<string, Said>> }
    >
  >;
  readonly long: Readonly<Record<'f2' | 'f4' | 'f8', Said>>;
}

/** Made by NumPy: testdata/make_recordings.py. */
const vectors: Vectors = JSON.parse(
  readFileSync(fileURLToPath(new URL('../testdata/recordings.json', import.meta.url)), 'utf8'),
);

const whole = (tensors: TensorMap): Arrays => ({
  tensors: new Map(tensors),
  unread: new Map(),
  notes: [],
});
const compareRecordings = (a: TensorMap, b: TensorMap, options: CompareOptions): Comparison =>
  compareArrays(whole(a), whole(b), options);

const all = { methods: reprodMethods, threshold: 1e-6 };

/** name → measure → value as Python prints it. */
const printed = ({ verdicts }: Comparison) =>
  Object.fromEntries(
    verdicts.map(({ name, checks, problem }) => [
      name,
      problem ?? Object.fromEntries(checks.map((c) => [c.method, pythonFloat(c.value)])),
    ]),
  );

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'swa-align-compare-'));
});
afterAll(() => rmSync(dir, { recursive: true }));

describe("NumPy's own digits", () => {
  it.each(Object.entries(vectors.pairs))('%s', (_, { files, values }) => {
    const [a, b] = files.map((base64, i) => {
      const path = join(dir, `side${i}`);
      writeFileSync(path, Buffer.from(base64, 'base64'));
      return readRecording(path);
    });
    expect(printed(compareArrays(a, b, all))).toEqual(values);
  });

  const fractions = Float64Array.from(
    { length: 20_000 },
    (_, i) => ((i * 40_503) % 65_536) / 65_536,
  );
  const rolled = fractions.map((_, i) => fractions.at(i - 1)!);

  /** The bits of a float16 in [0, 1). */
  const halfBits = (x: number): number => {
    const half = roundToHalf(x);
    if (half < 2 ** -14) return half * 2 ** 24;
    const exponent = Math.floor(Math.log2(half));
    return ((exponent + 15) << 10) | ((half / 2 ** exponent - 1) * 1024);
  };
  const make: Readonly<Record<keyof Vectors['long'], (x: Float64Array) => Tensor>> = {
    f2: (x) => tensor('float16', [x.length], Uint16Array.from(x, halfBits)),
    f4: (x) => tensor('float32', [x.length], Float32Array.from(x)),
    f8: (x) => tensor('float64', [x.length], x),
  };
  it.each(Object.entries(make))('20,000 elements of %s', (code, of) => {
    const found = reprodMeasures(of(fractions), of(rolled));
    const said = vectors.long[code as keyof Vectors['long']];
    for (const method of reprodMethods) expect(pythonFloat(found[method])).toBe(said[method]);
  });
});

describe('float16', () => {
  it('rounds every float16 to itself and the middle of two to the even one', () => {
    const every = toFloat64(
      tensor(
        'float16',
        [31 << 10],
        Uint16Array.from({ length: 31 << 10 }, (_, i) => i),
      ),
    );
    every.forEach((x, i) => {
      expect(roundToHalf(x)).toBe(x);
      if (i === 0) return;
      const [low, high] = [every[i - 1], x];
      expect(roundToHalf((low + high) / 2)).toBe(i % 2 === 0 ? high : low);
    });
    expect(roundToHalf(65_519)).toBe(65_504);
    expect(roundToHalf(-65_520)).toBe(-Infinity);
  });
});

describe('what reprod_log lets pass', () => {
  const floats = (values: readonly number[], shape = [values.length]) =>
    tensor('float32', shape, Float32Array.from(values));
  const problem = (a: Tensor, b: Tensor) => {
    const { verdicts, passed } = compareRecordings(new Map([['x', a]]), new Map([['x', b]]), all);
    expect(passed).toBe(false);
    return verdicts[0].problem;
  };

  it('NaN on either side, and on both', () => {
    const [good, bad] = [floats([1, 2]), floats([1, Number.NaN])];
    expect(problem(bad, good)).toBe("A's element 1 is NaN");
    expect(problem(good, bad)).toBe("B's element 1 is NaN");
    expect(problem(bad, bad)).toContain('NaN');
  });

  it('the same infinity on both sides', () => {
    expect(problem(floats([Infinity]), floats([Infinity]))).toContain('Infinity');
  });

  it('shapes that broadcast', () => {
    expect(problem(floats([1, 2], [2, 1]), floats([1, 2], [2]))).toBe('shape [2, 1] against [2]');
  });

  it('a transposed weight', () => {
    const zeroes = [0, 0, 0, 0, 0, 0];
    expect(problem(floats(zeroes, [2, 3]), floats(zeroes, [3, 2]))).toBe(
      'shape [2, 3] against [3, 2], transposed',
    );
  });

  it('other dtypes', () => {
    expect(problem(floats([1]), tensor('float64', [1], Float64Array.of(1)))).toBe(
      'dtype float32 against float64',
    );
  });

  it('empty arrays', () => {
    expect(problem(floats([]), floats([]))).toBe('there is nothing in it');
  });

  it('keys that only one side has, each by its name', () => {
    const a = new Map([
      ['loss', floats([1])],
      ['logits', floats([1, 2])],
    ]);
    const b = new Map([
      ['loss', floats([1])],
      ['out', floats([1, 2])],
    ]);
    const { verdicts, passed } = compareRecordings(a, b, all);
    expect(passed).toBe(false);
    expect(Object.fromEntries(verdicts.map((v) => [v.name, v.problem]))).toEqual({
      loss: undefined,
      out: "missing on A's side",
      logits: "missing on B's side",
    });
  });

  it('two files without arrays', () => {
    expect(compareRecordings(new Map(), new Map(), all).passed).toBe(false);
  });

  const wrapping: readonly [DType, Tensor, Tensor, number][] = [
    ['uint8', tensor('uint8', [1], Uint8Array.of(1)), tensor('uint8', [1], Uint8Array.of(2)), 1],
    ['int8', tensor('int8', [1], Int8Array.of(-128)), tensor('int8', [1], Int8Array.of(127)), 255],
    [
      'uint64',
      tensor('uint64', [1], BigUint64Array.of(0n)),
      tensor('uint64', [1], BigUint64Array.of(3n)),
      3,
    ],
    [
      'int64',
      tensor('int64', [1], BigInt64Array.of(2n ** 53n)),
      tensor('int64', [1], BigInt64Array.of(2n ** 53n + 1n)),
      1,
    ],
    ['bool', tensor('bool', [1], Uint8Array.of(0)), tensor('bool', [1], Uint8Array.of(1)), 1],
  ];
  it.each(wrapping)('%s neither wraps nor rounds', (_, a, b, apart) => {
    expect(reprodMeasures(a, b)).toEqual({ mean: apart, max: apart, min: apart });
    expect(reprodMeasures(b, a)).toEqual({ mean: apart, max: apart, min: apart });
  });
});

describe('comparing', () => {
  it('takes one number for one number, and says so', () => {
    const a = new Map([['loss', tensor('float32', [1], Float32Array.of(2.5))]]);
    const b = new Map([['loss', tensor('float32', [], Float32Array.of(2.5))]]);
    const { passed, notes } = compareRecordings(a, b, all);
    expect(passed).toBe(true);
    expect(notes).toEqual(['loss: shape [1] against [], one number each']);
  });

  it('says when both sides are the same everywhere', () => {
    const a = new Map([['out', zeros('float32', [3]) as Tensor]]);
    expect(compareRecordings(a, a, all).notes).toEqual([
      'out: A is 0 everywhere, B 0: that proves little',
    ]);
  });

  it('says which number it is that stands everywhere, and of integers only where they are equal', () => {
    const int64 = (...values: bigint[]) =>
      new Map([['n', tensor('int64', [values.length], BigInt64Array.from(values))]]);
    const large = 2n ** 62n;
    const different = compareRecordings(int64(large, large + 1n), int64(large, large + 1n), all);
    expect(different.notes).toEqual([]);
    const { notes } = compareRecordings(int64(large + 1n, large + 1n), int64(large, large), all);
    expect(notes).toEqual([
      'n: A is 4611686018427387905 everywhere, B 4611686018427387904: that proves little',
    ]);
  });

  it('passes just when the measure asked for stays within the threshold', () => {
    const list = fc.array(fc.float({ noNaN: true, noDefaultInfinity: true }), { minLength: 1 });
    const anyPair = list.chain((x) =>
      fc.tuple(
        fc.constant(x),
        fc.array(fc.float({ noNaN: true, noDefaultInfinity: true }), {
          minLength: x.length,
          maxLength: x.length,
        }),
      ),
    );
    fc.assert(
      fc.property(
        anyPair,
        fc.constantFrom(...reprodMethods),
        fc.double({ min: 0, noNaN: true }),
        ([x, y], method, threshold) => {
          const [a, b] = [x, y].map((v) => tensor('float32', [v.length], Float32Array.from(v)));
          const value = reprodMeasures(a, b)[method];
          const { passed } = compareRecordings(new Map([['x', a]]), new Map([['x', b]]), {
            methods: [method],
            threshold,
          });
          expect(passed).toBe(value <= threshold);
        },
      ),
    );
  });
});
