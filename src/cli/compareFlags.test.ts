import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { writeNpz } from '../io/numpy/npz.ts';
import { writeReprodLog } from '../io/numpy/reprodLog.ts';
import { writeSafetensors } from '../io/safetensors/safetensors.ts';
import { reporterNames } from '../report/reporters/reporters.ts';
import { type Tensor, type TensorMap, tensor } from '../tensor/tensor.ts';
import { run } from './run.ts';
import { commandTest } from './testdata/commandTest.ts';
import { toldByCompare } from './testdata/toldByCompare.ts';

const { dir, printed, errors } = commandTest('compare-flags');

const floats = (...values: number[]): Tensor =>
  tensor('float32', [values.length], Float32Array.from(values));
const named = (tensors: Readonly<Record<string, Tensor>>): TensorMap =>
  new Map(Object.entries(tensors));

const put = (name: string, content: Uint8Array | string): string => {
  const path = join(dir, name);
  writeFileSync(path, content);
  return path;
};
const npz = (name: string, tensors: Readonly<Record<string, Tensor>>): string =>
  put(`${name}.npz`, writeNpz(named(tensors)));

const compare = async (...argv: string[]): Promise<number> => {
  printed.length = 0;
  errors.length = 0;
  return run(['compare', ...argv]);
};
/** What is printed for people behind the log. */
const told = (): string[] => toldByCompare(printed);
const failing = (): string[] =>
  told().flatMap((line) => (line.startsWith('✗ ') ? [line.slice(2)] : []));

describe('measures of compare', () => {
  const a = (): string => npz('a', { x: floats(1, 2, 3, 4) });
  const b = (): string => npz('b', { x: floats(1, 2, 3, 4.004) });

  it.each([
    ['relative', 7e-4, 8e-4],
    ['cosine', 8e-8, 2e-7],
    ['ulp', 8388, 8389],
    ['max', 3.9e-3, 4.1e-3],
  ])('%s fails up to its threshold and passes from there on', async (method, low, high) => {
    const asked = ['--method', method, '--threshold'];
    expect(await compare(a(), b(), ...asked, String(high))).toBe(0);
    expect(await compare(a(), b(), ...asked, String(low))).toBe(1);
    const [, name, value, worst, where] = told();
    expect(name).toBe('✗ x');
    expect(value).toMatch(new RegExp(`^ {2}${method} \\S+ > `));
    expect(worst).toBe("  worst at [3]: A's 4, B's 4.004000186920166");
    expect(where).toContain('of 4 beyond the limit');
  });

  it('cosine sees a turn, and no change of size', async () => {
    const longer = npz('c', { x: floats(1000, 2000, 3000, 4000) });
    expect(await compare(a(), longer, '--method', 'cosine')).toBe(0);
    expect(await compare(a(), longer, '--method', 'relative')).toBe(1);
  });

  it('allclose is meant by --rtol or --atol, and else by its name', async () => {
    expect(await compare(a(), b(), '--rtol', '1e-3')).toBe(0);
    expect(await compare(a(), b(), '--atol', '0.005')).toBe(0);
    expect(await compare(a(), b(), '--method', 'allclose')).toBe(1);
    expect(told()).toContain('  1 of 4 beyond the limit, one element');
    expect(told()[2]).toMatch(/^ {2}allclose \d+ > 1 \(rtol 1\.3e-6, atol 1e-5\)$/);
    expect(await compare(a(), b(), '--rtol', '1e-4', '--atol', '1e-4')).toBe(1);
  });

  it('integers are close where they are equal', async () => {
    const [p, q] = [3n, 4n].map((n) =>
      npz(`n${n}`, { n: tensor('int64', [1], BigInt64Array.of(2n ** 60n + n)) }),
    );
    expect(await compare(p, p, '--method', 'allclose')).toBe(0);
    expect(await compare(p, q, '--method', 'allclose')).toBe(1);
    expect(await compare(p, q, '--method', 'ulp', '--threshold', '1')).toBe(0);
    expect(await compare(p, q, '--method', 'ulp', '--threshold', '0.5')).toBe(1);
  });

  it('NaN fails by name, whatever the measure', async () => {
    const bad = npz('bad', { x: floats(1, Number.NaN, 3, 4) });
    for (const method of ['mean', 'relative', 'cosine', 'ulp', 'allclose']) {
      expect(await compare(bad, bad, '--method', method)).toBe(1);
      expect(told()).toContain("  A's element 1 is NaN");
    }
  });

  it('refuses flags that do not go together', async () => {
    expect(await compare(a(), b(), '--rtol', '1', '--method', 'ulp')).toBe(2);
    expect(errors.join()).toContain('--rtol and --atol are not for --method ulp');
    expect(await compare(a(), b(), '--rtol', '1', '--threshold', '1')).toBe(2);
    expect(errors.join()).toContain('--threshold is not for --method allclose');
    expect(await compare(a(), b(), '--atol', '-1')).toBe(2);
    expect(errors.join()).toContain("--atol: '-1' is not a number from 0 on");
  });
});

describe('names of compare', () => {
  const ours = (): string =>
    npz('ours', {
      'conv.kernel': tensor('float32', [2, 3], Float32Array.of(1, 2, 3, 4, 5, 6)),
      'dense/bias': floats(1),
      scratch: floats(7),
    });
  const theirs = (): string =>
    npz('theirs', {
      'conv.weight': tensor('float32', [3, 2], Float32Array.of(1, 4, 2, 5, 3, 6)),
      'dense.bias': floats(1),
    });
  const map = (...names: object[]): string =>
    put('map.json', JSON.stringify({ format: 'swa-align-names/1', names }));
  const right = [
    { ours: '*.kernel', probe: '*.weight', layout: 'in,out' },
    { ours: '*/bias', probe: '*.bias' },
    { ours: 'scratch', probe: null },
  ];

  it('are given by a map, which permutes too', async () => {
    expect(await compare(ours(), theirs())).toBe(1);
    expect(await compare(ours(), theirs(), '--map', map(...right))).toBe(0);
    const swapped = map({ ...right[0], layout: 'ab->ab' }, ...right.slice(1));
    expect(await compare(ours(), theirs(), '--map', swapped)).toBe(1);
    expect(told()).toContain('  shape [2, 3] against [3, 2], transposed');
  });

  it('are refused where a map leads nowhere, or starts nowhere', async () => {
    const away = map({ ours: 'dense/bias', probe: 'dense.bia' });
    expect(await compare(ours(), theirs(), '--map', away)).toBe(2);
    expect(errors.join()).toMatch(/theirs\.npz: holds no tensor dense\.bia; .*dense\.bias/);
    expect(await compare(ours(), theirs(), '--map', map({ ours: 'x', probe: 'dense.bias' }))).toBe(
      2,
    );
    expect(errors.join()).toContain('the entry of "x" names no tensor of the recording');
  });

  it('may be chosen', async () => {
    const [a, b] = [1, 2].map((n) =>
      npz(`chosen${n}`, { 'enc.0': floats(1 + 0.37 * n), 'enc.1': floats(n), dec: floats(5) }),
    );
    expect(await compare(a, b, '--except', 'enc.*')).toBe(0);
    expect(await compare(a, b, '--only', 'dec')).toBe(0);
    expect(await compare(a, b, '--only', 'enc.*', '--except', 'enc.1')).toBe(1);
    expect(failing()).toEqual(['enc.0']);
    expect(await compare(ours(), theirs(), '--only', 'scratch')).toBe(1);
    expect(failing()).toEqual(["1 tensor missing on B's side: scratch"]);
    expect(await compare(a, b, '--only', 'nope*')).toBe(2);
    expect(errors.join()).toContain('"nope*" matches no tensor');
    expect(await compare(a, b, '--except', '*')).toBe(2);
    expect(errors.join()).toContain('no tensor is left');
  });
});

describe('the order of compare', () => {
  const order = ['z', 'm', 'a'];
  const recording = (names: readonly string[], value: number): TensorMap =>
    new Map(names.map((name) => [name, floats(value)]));
  const sorted = order.toSorted();

  it("is B's, and A's where B's names are merely sorted", async () => {
    const ordered = put('ordered.npy', writeReprodLog(recording(order, 1)));
    const other = put('other.npz', writeNpz(recording(['m', 'z', 'a'], 1.37)));
    const plain = put('plain.safetensors', writeSafetensors(recording(sorted, 1.37)));
    expect(await compare(other, ordered)).toBe(1);
    expect([told()[0], failing()]).toEqual([expect.stringContaining('order of B'), order]);
    expect(await compare(ordered, plain)).toBe(1);
    expect([told()[0], failing()]).toEqual([expect.stringContaining('order of A'), order]);
    expect(await compare(plain, plain, '--method', 'min')).toBe(0);
  });

  it('is no order where names are sorted type by type', async () => {
    const ordered = put('ordered.npz', writeNpz(recording(['w', 'b', 'n'], 1)));
    const grouped = put(
      'grouped.safetensors',
      writeSafetensors(
        new Map<string, Tensor>([
          ['n', tensor('int64', [1], BigInt64Array.of(1n))],
          ['b', floats(1.37)],
          ['w', floats(1.37)],
        ]),
      ),
    );
    expect(await compare(ordered, grouped)).toBe(1);
    expect(failing()).toEqual(['w', 'b', 'n']);
  });
});

describe('reports of compare', () => {
  it('are all that there are, each with the worst element', async () => {
    const a = npz('ours', { good: floats(1), bad: floats(1, 2), '\u001b[31m': floats(1) });
    const b = npz('theirs', { good: floats(1), bad: floats(1, 3), '\u001b[31m': floats(4) });
    const file = (name: string): string => join(dir, `report.${name}`);
    const flags = reporterNames.flatMap((name) => ['--reporter', `${name}=${file(name)}`]);
    expect(await compare(a, b, ...flags)).toBe(1);
    for (const name of reporterNames) {
      const text = readFileSync(file(name), 'utf8');
      expect(text, name).toContain('bad');
      // Markdown and annotations keep what a name holds, escaped as their readers want it.
      if (!['markdown', 'annotations'].includes(name)) expect(text, name).not.toContain('\u001b');
      // reprod_log's format has no room for it.
      if (name !== 'log' && name !== 'json') expect(text, name).toMatch(/B(?:'|&#x27;|&#39;|’)s 3/);
    }
    const called = [...flags.slice(0, 2), '--only', 'bad', '--only', 'good'];
    expect(await compare(a, b, ...called, '--reporter', `markdown=${file('called')}`)).toBe(1);
    expect(readFileSync(file('called'), 'utf8')).toContain(
      `--only bad --only good --reporter terminal=${file('terminal')} --reporter markdown=${file('called')}`,
    );
    expect(readFileSync(file('html'), 'utf8')).not.toContain('PyTorch');
    const [model] = JSON.parse(readFileSync(file('json'), 'utf8')).models;
    expect(model.stages[0].verdicts[1].worst).toMatchObject({ ours: 2, pytorch: 3, index: [1] });
    expect(Object.keys(model.hashes)).toEqual([a, b]);
  });

  it('have short forms, and no report is written for bad input', async () => {
    const a = npz('same', { x: floats(1) });
    const short = ['json', 'junit', 'log'].map((name) => join(dir, `short.${name}`));
    const [json, junit, log] = short;
    const flags = ['--json', json, '--junit', junit, '--log', log];
    expect(await compare(a, join(dir, 'nowhere.npz'), ...flags)).toBe(2);
    expect(short.some(existsSync)).toBe(false);
    expect(await compare(a, a, ...flags)).toBe(0);
    expect(JSON.parse(readFileSync(json, 'utf8')).passed).toBe(true);
    expect(readFileSync(junit, 'utf8')).toContain('failures="0"');
    expect(printed.join('')).toContain(readFileSync(log, 'utf8'));
    expect(told()).toEqual(['1 tensor aligned with B', 'furthest: mean 0 of 1.0e-6 (x)']);
  });
});
