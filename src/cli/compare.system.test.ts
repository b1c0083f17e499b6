import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { unzipSync, zipSync } from 'fflate';
import { describe, expect, it } from 'vitest';
import { writeNpy } from '../io/numpy/npy.ts';
import { writeNpz } from '../io/numpy/npz.ts';
import { writeReprodLog } from '../io/numpy/reprodLog.ts';
import { archives, vector } from '../io/testdata/support.ts';
import { type Tensor, tensor } from '../tensor/tensor.ts';
import { run } from './run.ts';
import { commandTest } from './testdata/commandTest.ts';
import { logStamp, toldByCompare } from './testdata/toldByCompare.ts';

const { dir, printed, errors } = commandTest('compare');

const put = (name: string, bytes: Uint8Array): string => {
  const path = join(dir, name);
  writeFileSync(path, bytes);
  return path;
};
const floats = (...values: number[]): Tensor =>
  tensor('float32', [values.length], Float32Array.from(values));
/** A zip with one member changed. */
function resaved(zip: Uint8Array, name: string, change: (content: Buffer) => void): Uint8Array {
  const members = unzipSync(zip);
  change(Buffer.from(members[name].buffer, members[name].byteOffset, members[name].length));
  return zipSync(members);
}

/** What is printed for people behind the log. */
const told = (): string[] => toldByCompare(printed);

describe('compare', () => {
  it("repeats the log that reprod_log wrote for the original port's losses", async () => {
    const a = put('paddle.npy', vector('reprod/published-paddle'));
    const b = put('pytorch.npy', vector('reprod/published-pytorch'));
    const log = join(dir, 'loss_diff.log');
    expect(await run(['compare', a, b, '--log', log])).toBe(0);
    const text = readFileSync(log, 'utf8').replaceAll(logStamp, '');
    expect(text.split('\n').slice(-4)).toEqual([
      'loss: ',
      '\tmean diff: check passed: True, value: 2.384185791015625e-07',
      'diff check passed',
      '',
    ]);
    expect(text).toContain('method: mean diff = mean |A - B|; threshold 1e-06');
    expect(text).toContain('note: loss: shape [1] against [], one number each');
    expect(printed.join('')).toContain(readFileSync(log, 'utf8'));
  });

  const seed = fileURLToPath(new URL('../../../shared/seed', import.meta.url));
  const there = existsSync(seed);
  it.skipIf(!there).each(['forward', 'loss'])(
    `repeats the published %s log${there ? '' : ' (its files lie beside the repository only where it is developed)'}`,
    async (stem) => {
      const [a, b] = ['paddle', 'pytorch'].map((side) => join(seed, `${stem}_${side}.npy`));
      expect(await run(['compare', a, b])).toBe(0);
      const published = readFileSync(join(seed, `${stem}_diff.log`), 'utf8').replaceAll(
        logStamp,
        '',
      );
      expect(printed.join('').replaceAll(logStamp, '')).toContain(published);
    },
  );

  it('fails with exit code 1, the first that differs first', async () => {
    const a = put(
      'a.npz',
      writeNpz(
        new Map([
          ['near', floats(1, 2)],
          ['far', floats(1, 2)],
        ]),
      ),
    );
    const b = put(
      'b.npy',
      writeReprodLog(
        new Map([
          ['near', floats(1, 2)],
          ['far', floats(1, 3)],
        ]),
      ),
    );
    expect(await run(['compare', a, b, '--method=all', '--threshold', '0.5'])).toBe(1);
    const text = printed.join('').replaceAll(logStamp, '');
    expect(text).toContain(
      'far: \n\tmean diff: check passed: True, value: 0.5\n\tmax diff: check passed: False, value: 1.0\n\tmin diff: check passed: True, value: 0.0\n',
    );
    expect(text).toContain('diff check failed');
    expect(told()).toEqual([
      '1 of 2 tensors does not align with B; first in the order of B:',
      '✗ far',
      '  max 1 > 0.5',
      "  worst at [1]: A's 2, B's 3",
      '  1 of 2 beyond the limit, one element',
      'furthest: max 1 of 0.5 (far)',
    ]);
  });

  it('names a key that is missing, apart from those that differ', async () => {
    const a = put(
      'a.npz',
      writeNpz(
        new Map([
          ['x', floats(1)],
          ['loss', floats(1)],
        ]),
      ),
    );
    const b = put('b.npz', writeNpz(new Map([['x', floats(9)]])));
    expect(await run(['compare', a, b])).toBe(1);
    expect(told()).toEqual([
      '1 of 1 tensor does not align with B; first in the order of A:',
      '✗ x',
      '  mean 8 > 1.0e-6',
      "  worst at [0]: A's 1, B's 9",
      '  1 of 1 beyond the limit',
      "✗ 1 tensor missing on B's side: loss",
      'furthest: mean 8 of 1.0e-6 (x)',
    ]);
  });

  it('shows how far apart integers are that a float64 cannot tell apart', async () => {
    const [a, b] = [0n, 1n].map((more) => {
      const counts = BigInt64Array.of(2n ** 62n, 2n ** 62n + 2n + more);
      return put(`n${more}.npz`, writeNpz(new Map([['n', tensor('int64', [2], counts)]])));
    });
    expect(await run(['compare', a, b, '--method', 'max'])).toBe(1);
    const text = printed.join('');
    expect(text).toContain('\tmax diff: check passed: False, value: 1.0');
    expect(text).toContain("worst at [1]: A's 4611686018427387906, B's 4611686018427387907\n");
    const json = join(dir, 'wide.json');
    expect(await run(['compare', a, b, '--json', json])).toBe(1);
    const [{ stages }] = JSON.parse(readFileSync(json, 'utf8')).models;
    expect(stages[0].verdicts[0].worst).toMatchObject({
      ours: '4611686018427387906',
      pytorch: '4611686018427387907',
    });
  });

  it('tells of the first three, and names some of the rest', async () => {
    const many = (offset: number) =>
      new Map(Array.from({ length: 30 }, (_, i) => [`k${i}`, floats(i * offset, 1)]));
    const a = put('a.npz', writeNpz(many(0)));
    const b = put('b.npz', writeNpz(many(1)));
    expect(await run(['compare', a, b])).toBe(1);
    const lines = told();
    expect(lines[0]).toBe('29 of 30 tensors do not align with B; first in the order of B:');
    expect(lines.filter((line) => line.startsWith('✗'))).toEqual(['✗ k1', '✗ k2', '✗ k3']);
    expect(lines.at(-2)).toBe('also k4, k5, k6, k7, k8, k9 and 20 more');
    expect(lines.at(-1)).toMatch(/^furthest: mean 14\.5 of 1\.0e-6 \(k29\)$/);
  });

  it('keeps a key with control characters on its line', async () => {
    const a = put('a.npy', writeReprodLog(new Map([['a\nb\u001b[31m', floats(1)]])));
    expect(await run(['compare', a, a])).toBe(0);
    expect(printed.join('')).toContain('a?b?[31m: \n');
  });

  it('reads plain arrays and weights files too', async () => {
    const a = put('a.npy', writeNpy(floats(1, 2)));
    expect(await run(['compare', a, a])).toBe(0);
    expect(printed.join('')).toContain('(array): ');
    const pt = put('w.pt', vector('torch/state_dict'));
    expect(await run(['compare', pt, pt])).toBe(0);
  });
});

describe('whatever a file holds', () => {
  const archive = (name: string): string => put(`${name}.npz`, archives.get(name)!.file);
  const text = (): string => printed.join('').replaceAll(logStamp, '');
  const threes = floats(3, 3, 3);

  it('compares members that are not called .npy', async () => {
    const a = archive('without-suffix');
    const same = { a: floats(1, 1, 1), logits: floats(2, 2, 2), 'loss.NPY': threes };
    expect(await run(['compare', a, put('b.npz', writeNpz(new Map(Object.entries(same))))])).toBe(
      0,
    );
    const other = { ...same, logits: floats(200, 200, 200) };
    const b = put('b.npz', writeNpz(new Map(Object.entries(other))));
    expect(await run(['compare', a, b])).toBe(1);
    expect(text()).toContain('logits: \n\tmean diff: check passed: False, value: 198.0');
    expect(await run(['compare', b, archive('same-name')])).toBe(1);
    expect(text()).toContain("a.npy: \n\tcheck passed: False, missing on A's side");
  });

  it('notes what it leaves out', async () => {
    const map = new Map([
      ['a', floats(1, 1, 1)],
      ['layer/b', floats(2, 2, 2)],
    ]);
    const b = put('b.npz', writeNpz(map));
    expect(await run(['compare', archive('macos'), b])).toBe(0);
    expect(text()).toContain("note: A: '__MACOSX/._a.npy', '__MACOSX/layer/._b.npy', '.DS_Store'");
    const more = put('c.npy', archives.get('trailing.npy')!.file);
    expect(await run(['compare', put('one.npy', writeNpy(floats(1, 1, 1))), more])).toBe(0);
    expect(text()).toContain('note: B: 4 bytes behind the array are left out');
  });

  it('arrays of text and objects hinder only themselves, and must be the same', async () => {
    const a = archive('mixed');
    expect(await run(['compare', a, a])).toBe(0);
    expect(text()).toContain('good: \n\tmean diff: check passed: True');
    expect(text()).toContain('note: complex: A and B hold the same bytes, complex numbers');
    const file = Buffer.from(archives.get('mixed')!.file);
    // NumPy's text is UTF-32: `ab` becomes `ac`, and the stored member gets its new checksum.
    const changed = put(
      'd.npz',
      resaved(file, 'text.npy', (npy) => npy.writeUInt8(0x63, npy.length - 4)),
    );
    expect(await run(['compare', a, changed])).toBe(1);
    expect(text()).toContain(
      'text: \n\tcheck passed: False, A and B hold text (dtype <U2), and not the same',
    );
    const b = put(
      'e.npz',
      writeNpz(
        new Map([
          ['good', floats(1, 1, 1)],
          ['text', threes],
        ]),
      ),
    );
    printed.length = 0;
    expect(await run(['compare', a, b])).toBe(1);
    expect(text()).toContain('text: \n\tcheck passed: False, A holds text (dtype <U2)');
    expect(text()).toContain("objects: \n\tcheck passed: False, missing on B's side");
  });
});

describe('bad input to compare', () => {
  const good = (): string => put('good.npy', writeReprodLog(new Map([['x', floats(1)]])));

  async function refused(...argv: string[]): Promise<string> {
    errors.length = 0;
    const log = join(dir, 'untouched.log');
    expect(await run(['compare', ...argv, '--log', log])).toBe(2);
    expect(existsSync(log), 'nothing may be written').toBe(false);
    expect(errors).toHaveLength(1);
    expect(errors[0].split('\n')).toHaveLength(1);
    return errors[0];
  }

  it('names the file, and the array that is no array of numbers', async () => {
    expect(await refused(good(), join(dir, 'nowhere.npy'))).toContain('nowhere.npy: no such file');
    expect(await refused(put('x.txt', Buffer.from('hello')), good())).toContain(
      'x.txt: holds no arrays that can be read',
    );
    expect(await refused(put('c.npy', vector('reprod/refused-complex')), good())).toContain(
      "c.npy: 'a' holds complex numbers",
    );
    expect(await refused(put('s.npy', vector('reprod/refused-text')), good())).toContain(
      "s.npy: 'loss' holds a Python str",
    );
    expect(await refused(put('g.npy', vector('reprod/refused-global')), good())).toContain(
      "'a' holds a Python posix.system, not numbers",
    );
  });

  it('refuses methods and thresholds that are none', async () => {
    expect(await refused(good(), good(), '--method', 'median')).toContain('median');
    expect(await refused(good(), good(), '--threshold', 'nan')).toContain('nan');
    expect(await refused(good(), good(), '--threshold', '-1')).toContain('-1');
    expect(await refused(good())).toContain('<b> is missing');
  });
});

const python = pythonWith('numpy');

/** What reprod_log computes, in NumPy, of the files that we wrote. */
const script = `
import numpy, sys
a, b = (numpy.load(f, allow_pickle=True).tolist() for f in sys.argv[1:])
for key in a:
    d = numpy.abs(a[key] - b[key])
    print("{}: \\n\\tmean diff: check passed: {}, value: {}".format(key, d.mean() <= 1e-6, d.mean()))
`;

import { pythonWith } from '../../test/support/pythons.ts';

it.skipIf(python === undefined)(
  'NumPy finds the same in files we wrote (needs NumPy)',
  async () => {
    const random = (seed: number) =>
      Float32Array.from({ length: 1000 }, (_, i) => Math.sin(seed * (i + 1)) * 10);
    const maps = [1, 1.0000001].map(
      (seed) =>
        new Map([
          ['out', tensor('float32', [10, 100], random(seed))],
          ['loss', floats(seed)],
        ]),
    );
    const [a, b] = maps.map((map, i) => put(`ours${i}.npy`, writeReprodLog(map)));
    const { stdout, stderr, status } = spawnSync(python!, ['-c', script, a, b], {
      encoding: 'utf8',
    });
    expect(status, stderr).toBe(0);
    await run(['compare', a, b]);
    expect(printed.join('').replaceAll(logStamp, '')).toContain(stdout);
  },
);
