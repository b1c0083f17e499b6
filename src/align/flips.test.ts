import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { gradients } from '../autodiff/gradients.ts';
import type { Backend } from '../backends/backend.ts';
import { oracleBackend } from '../backends/oracle/oracleBackend.ts';
import { ortBackend } from '../backends/ort/cpu/ortBackend.ts';
import { input, maxPool2d, mul, reduceSum, relu } from '../ir/build.ts';
import type { Node } from '../ir/node.ts';
import { decidedOn, decisionsOf, nudged, withDecisions } from '../program/decisions.ts';
import { piece } from '../program/piece.ts';
import { type Program, verifyProgram } from '../program/program.ts';
import { type Tensor, type TensorMap, tensor, toFloat64 } from '../tensor/tensor.ts';
import { decisionsApart } from './flips.ts';
import { recordedBatch } from './recordedBatch.ts';
import type { Reference } from './reference.ts';
import { kinkFreeBatch } from './stages/kinkFreeBatch.ts';
import { alteredBackend } from './testdata/alteredBackend.ts';
import { narrowModel, narrowWeights, randomBatch } from './testdata/narrowStep.ts';
import { oracleReference } from './testdata/oracleReference.ts';
import { runOnce } from './tracing/evidence.ts';
import { traceStep } from './tracing/traceStep.ts';
import { passed } from './verdict.ts';

const oracle = oracleBackend();

describe('decisions on a small map', () => {
  const shape = [1, 2, 4, 4];
  const x = input('x', shape) as Node<'input'>;
  const weights = input('weights', [1, 2, 2, 2]) as Node<'input'>;
  const positive = relu(x);
  const pooled = maxPool2d(positive, { kernel: [2, 2], stride: [2, 2], padding: [0, 0] });
  const loss = reduceSum(mul(pooled, weights), [0, 1, 2, 3]);
  const program: Program = verifyProgram({
    name: 'small',
    inputs: new Map([
      ['x', x],
      ['weights', weights],
    ]),
    state: new Map(),
    fetches: new Map<string, Node>([
      ['relu', positive],
      ['pool', pooled],
      ['dx', gradients(loss).get(x)!],
    ]),
  });
  const decisions = decisionsOf(program);
  const watched = withDecisions(program);
  const fetches = ['dx', ...decisions.map(({ layer }) => decidedOn(layer))];
  const upstream = tensor('float64', [1, 2, 2, 2], Float64Array.of(1, 2, 3, 4, 5, 6, 7, 8));
  const feeds = (values: Float64Array): TensorMap =>
    new Map<string, Tensor>([
      ['x', tensor('float64', shape, values)],
      ['weights', upstream],
    ]);
  const run = (values: Float64Array): Promise<TensorMap> =>
    runOnce(oracle, watched, fetches, { weights: new Map(), feeds: feeds(values) });

  /** Values on a coarse grid, so that zeros and ties are frequent, then jittered by rounding's size. */
  const grid = fc.array(fc.integer({ min: -1, max: 2 }), { minLength: 32, maxLength: 32 });
  const jitter = fc.array(fc.integer({ min: -9, max: 9 }), { minLength: 32, maxLength: 32 });

  it('are imposed so that the truth’s gradient becomes ours to the bit', async () => {
    await fc.assert(
      fc.asyncProperty(grid, jitter, jitter, async (base, here, there) => {
        fc.pre(base.some((v) => v > 0));
        const at = (by: number[]) => Float64Array.from(base, (v, i) => v + by[i] * 1e-8);
        const [ours, truth] = [await run(at(here)), await run(at(there))];
        const apart = decisionsApart(decisions, ours, truth, 5e-6);
        expect(apart.beyond).toEqual([]);
        const imposed = await runOnce(oracle, nudged(program), ['dx'], {
          weights: new Map(),
          feeds: new Map([...feeds(at(there)), ...apart.nudges]),
        });
        const dx = (of: TensorMap): Float64Array => toFloat64(of.get('dx')!);
        // Where the pool has nothing positive to choose from, the ReLU stops the gradient anyway.
        expect(dx(imposed)).toEqual(dx(ours));
        if (apart.flips.length === 0) expect(dx(truth)).toEqual(dx(ours));
      }),
      { numRuns: 200 },
    );
  });

  it('are not excused beyond rounding', async () => {
    const truth = Float64Array.from({ length: 32 }, (_, i) => (i % 7) - 3 || 0.5);
    const ours = truth.slice();
    ours[0] = -truth[0];
    const apart = decisionsApart(decisions, await run(ours), await run(truth), 5e-6);
    expect(apart.beyond[0]).toMatchObject({ layer: 'relu', element: 0 });
  });
});

describe('a batch that is not kink-free', () => {
  const model = narrowModel();
  const batch = randomBatch(7, 2);
  let ort: Backend;
  let weights: TensorMap;
  let reference: Reference;

  /**
   * One bias of features.0 set so that a pre-activation of that channel is within rounding of zero, and
   * float32 and float64 disagree about its sign. Which element does is the machine's rounding's choice.
   */
  async function withKink(program: Program, feeds: TensorMap): Promise<TensorMap> {
    const name = decidedOn('features.1');
    const conv = piece(withDecisions(program), [name], []);
    const run = async (on: Backend, from: TensorMap): Promise<Float64Array> => {
      const given = { weights: from, feeds: new Map([['images', feeds.get('images')!]]) };
      return toFloat64((await runOnce(on, conv, [name], given)).get(name)!);
    };
    const start = narrowWeights();
    const before = await run(oracle, start);
    for (let element = 0; element < 1024; element++) {
      const bias = Float32Array.of(-before[element], 0, 0, 0);
      const kinked = new Map<string, Tensor>([
        ...start,
        ['features.0.bias', tensor('float32', [4], bias)],
      ]);
      const [ours, truth] = [await run(ort, kinked), await run(oracle, kinked)];
      if (ours[element] > 0 !== truth[element] > 0) return kinked;
    }
    throw new Error('float32 and float64 agree about every sign');
  }

  beforeAll(async () => {
    ort = await ortBackend({});
    const files = { stage: () => sections, arrays: () => batch, model };
    const sections = {
      kinkfree: {
        batch: 'kinkfree.npz',
        settings: { lr: 0.05, momentum: 0.9, weight_decay: 5e-4, dropout: 0.5 },
      },
    };
    const { program, feeds } = recordedBatch(files as unknown as Reference);
    weights = await withKink(program, feeds(0));
    // The truth stands in for PyTorch's float32, which took the truth's side here.
    reference = await oracleReference({
      model,
      weights,
      batch,
      iterations: 2,
      single: oracle,
      added: 5e-7,
      oracle,
    });
  });

  const start = () => recordedBatch(reference).start(weights);

  it('fails by far more than rounding when nobody looks for flips', async () => {
    const { verdicts } = await kinkFreeBatch({ backend: ort, reference, weights }, start());
    const worst = Math.max(...verdicts.flatMap((v) => v.checks.map((c) => c.value)));
    expect(verdicts.every(passed)).toBe(false);
    expect(worst).toBeGreaterThan(4);
  });

  it('passes with the flipped decision named', async () => {
    const found = await kinkFreeBatch({ backend: ort, oracle, reference, weights }, start());
    expect(found.verdicts.filter((v) => !passed(v)).map((v) => [v.name, v.checks])).toEqual([]);
    const flips = found.verdicts.flatMap((v) => v.flips ?? []);
    expect(flips[0]).toMatchObject({ layer: 'features.1' });
    expect(flips.every(({ margin }) => margin < 5e-6)).toBe(true);
    expect(found.notes.join()).toMatch(/took \d+ decisions the other way: features\.1\[\d+\]/);
  });

  it('is traced with the rows that the flip explains', async () => {
    const trace = await traceStep({ backend: ort, oracle, reference, weights });
    const flipped = trace.rows.filter(({ state }) => state === 'flipped');
    expect(trace.rows.filter(({ state }) => state === 'diverges')).toEqual([]);
    expect(flipped.map(({ name }) => name)).toContain('features.0.bias.grad');
    expect(flipped[0].flips?.[0]).toMatchObject({ layer: 'features.1' });
  });

  it('does not excuse a wrong gradient beside the flip', async () => {
    // ReLU's adjoint a thousandth too large on the maps of features.8
    const wrong = (node: Node, operands: readonly Node[]): Node | undefined =>
      node.op === 'reluGrad' && node.shape[2] === 16
        ? mul({ ...node, inputs: operands } as Node, 1.001)
        : undefined;
    const backend = alteredBackend(ort, wrong);
    const { verdicts } = await kinkFreeBatch({ backend, oracle, reference, weights }, start());
    const failed = verdicts.filter((v) => !passed(v)).map((v) => v.name);
    expect(failed).toContain('iter0/features.5.weight.grad');
    const trace = await traceStep({ backend, oracle, reference, weights });
    expect(trace.rows[trace.firstDivergence!]).toMatchObject({ layer: 'features.8' });
  });
});
