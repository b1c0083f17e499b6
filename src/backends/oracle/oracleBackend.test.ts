import { expect, it } from 'vitest';
import { add, argMax, conv2d, input, mul, oneHot, reduceSum } from '../../ir/build.ts';
import type { Node } from '../../ir/node.ts';
import { byInputName, type Program, verifyProgram } from '../../program/program.ts';
import { scalar, tensor } from '../../tensor/tensor.ts';
import { execute, planOf } from './execute.ts';
import { oracleBackend } from './oracleBackend.ts';
import { floats, fromTensor } from './value.ts';

/** w ← w + lr·x, fetching Σ w·x and the class of the largest w·x. */
function program(): Program {
  const x = input('x', [2]);
  const lr = input('lr', []);
  const w = input('w', [2]);
  const product = mul(w, x);
  return verifyProgram({
    name: 'example',
    inputs: byInputName([x, lr]),
    state: new Map([['w', { current: w, next: add(w, mul(x, lr)) }]]),
    fetches: new Map<string, Node>([
      ['product', reduceSum(product, [0])],
      ['largest', argMax(product)],
      ['before', w],
    ]),
  });
}

const backend = oracleBackend();
const weights = () => new Map([['w', tensor('float32', [2], Float32Array.of(1, 2))]]);
const feeds = () =>
  new Map([
    ['x', tensor('float64', [2], Float64Array.of(10, 100))],
    ['lr', scalar(0.5)],
  ]);

it('runs a program and carries its state from run to run', async () => {
  const executable = await backend.compile(program(), ['product', 'largest', 'before']);
  const state = await backend.upload(weights());
  const first = await executable.run(state, feeds());
  expect(first.get('product')).toEqual(tensor('float64', [], Float64Array.of(210)));
  expect(first.get('largest')).toEqual(tensor('int64', [], BigInt64Array.of(1n)));
  expect(first.get('before')?.data).toEqual(Float64Array.of(1, 2));
  const second = await executable.run(state, feeds());
  expect(second.get('product')?.data).toEqual(Float64Array.of(60 + 5200));
  const held = await backend.download(state);
  expect(held).toEqual(new Map([['w', tensor('float64', [2], Float64Array.of(11, 102))]]));
});

it('copies on the way in and out', async () => {
  const host = tensor('float64', [2], Float64Array.of(1, 2));
  const state = await backend.upload(new Map([['w', host]]));
  host.data[0] = 99;
  const copy = await backend.download(state, ['w']);
  expect(copy.get('w')?.data).toEqual(Float64Array.of(1, 2));
  (copy.get('w')!.data as Float64Array)[0] = 98;
  expect((await backend.download(state)).get('w')?.data).toEqual(Float64Array.of(1, 2));
  await backend.free(state);
  expect(state.size).toBe(0);
});

it('leaves the state as it was when a run fails', async () => {
  const labels = input('labels', [1], 'int');
  const w = input('w', [1, 2]);
  const p: Program = {
    name: 'failing',
    inputs: byInputName([labels]),
    state: new Map([['w', { current: w, next: add(w, oneHot(labels, 2)) }]]),
    fetches: new Map(),
  };
  const executable = await backend.compile(p, []);
  const state = await backend.upload(
    new Map([['w', tensor('float32', [1, 2], new Float32Array(2))]]),
  );
  const label = (n: bigint) =>
    new Map([['labels', tensor('int64', [1], BigInt64Array.of(n))] as const]);
  await expect(executable.run(state, label(2n))).rejects.toThrow('label 2 at position 0');
  expect((await backend.download(state)).get('w')?.data).toEqual(Float64Array.of(0, 0));
  await executable.run(state, label(1n));
  expect((await backend.download(state)).get('w')?.data).toEqual(Float64Array.of(0, 1));
});

it('says what is missing or does not fit', async () => {
  await expect(backend.compile(program(), ['nonsense'])).rejects.toThrow(
    'example has nothing called nonsense',
  );
  const executable = await backend.compile(program(), ['product']);
  const state = await backend.upload(weights());
  await expect(executable.run(state, new Map())).rejects.toThrow('example: input x is missing');
  await expect(executable.run(new Map(), feeds())).rejects.toThrow('example: state w is missing');
  const extra = feeds().set('y', scalar(1));
  await expect(executable.run(state, extra)).rejects.toThrow('no input is called y');
  const foreign = new Map([['w', { shape: [2] }]]);
  await expect(executable.run(foreign, feeds())).rejects.toThrow('w was not uploaded');
  const ints = new Map([['w', tensor('int64', [2], BigInt64Array.of(1n, 2n))]]);
  await expect(executable.run(await backend.upload(ints), feeds())).rejects.toThrow(
    'example: w is int[2], declared float[2]',
  );
  await expect(backend.download(state, ['v'])).rejects.toThrow('there is no state called v');
});

it('holds integers exactly or not at all', () => {
  const exact = 2n ** 53n - 1n;
  expect(fromTensor('n', tensor('int64', [1], BigInt64Array.of(exact))).data[0]).toBe(
    Number(exact),
  );
  expect(() => fromTensor('n', tensor('int64', [1], BigInt64Array.of(exact + 2n)))).toThrow(
    'too large to be exact',
  );
});

it('computes nothing that was not asked for, and forgets what nobody needs any more', () => {
  const x = input('x', [1, 1, 1, 1]);
  const unused = conv2d(x, x, { stride: [1, 1], padding: [0, 0] });
  const middle = add(x, x);
  const root = mul(middle, middle);
  const { steps } = planOf(new Set([root]));
  expect(steps.map(({ node }) => node)).toEqual([x, middle, root]);
  expect(steps.map(({ node }) => node)).not.toContain(unused);
  expect(steps.map(({ lastUses }) => lastUses)).toEqual([[], [x], [middle]]);
  const values = execute(planOf(new Set([root, middle])), () =>
    floats([1, 1, 1, 1], Float64Array.of(3)),
  );
  expect([...values.values()].map(({ data }) => data[0])).toEqual([36, 6]);
});
