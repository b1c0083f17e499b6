import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { gradients } from '../../autodiff/gradients.ts';
import type { Backend } from '../../backends/backend.ts';
import { oracleBackend } from '../../backends/oracle/oracleBackend.ts';
import { ortBackend } from '../../backends/ort/cpu/ortBackend.ts';
import { constant, input, maxPool2d, mul, reduceSum, relu, reluGrad, sub } from '../../ir/build.ts';
import type { Node } from '../../ir/node.ts';
import { vgg } from '../../nn/models/vgg.ts';
import { decidedOn, decisionsOf, nudged, withDecisions } from '../../program/decisions.ts';
import { piece } from '../../program/piece.ts';
import { type Program, verifyProgram } from '../../program/program.ts';
import { type Tensor, type TensorMap, tensor, toFloat32, toFloat64 } from '../../tensor/tensor.ts';
import { passed } from '../judge/verdict.ts';
import { rms } from '../measure/relativeError.ts';
import { recordedBatch } from '../reference/recordedBatch.ts';
import type { Reference } from '../reference/reference.ts';
import { kinkFreeBatch } from '../stages/backward/kinkFreeBatch.ts';
import { judgeStage } from '../stages/runStage.ts';
import { alteredBackend } from '../testdata/alteredBackend.ts';
import { narrowModel, narrowWeights, randomBatch } from '../testdata/narrowStep.ts';
import { oracleReference } from '../testdata/oracleReference.ts';
import { runOnce } from '../trace/evidence.ts';
import { traceStep } from '../trace/traceStep.ts';
import { judgeFlipped } from './flippedDecisions.ts';
import { decisionsApart } from './flips.ts';

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
  let oneStep: Reference;
  /** The least value above zero of what features.1 decides on that no rounding takes below it. */
  let farKink: number;

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
    const decided = await runOnce(oracle, withDecisions(program), [decidedOn('features.1')], {
      weights: recordedBatch(files as unknown as Reference).start(weights),
      feeds: feeds(0),
    });
    const x = decided.get(decidedOn('features.1'))!;
    const scale = rms(x);
    farKink = toFloat64(x).reduce((least, v) => (v > scale * 1e-4 ? Math.min(least, v) : least), 1);
    // The truth stands in for PyTorch's float32, which took the truth's side here.
    const parts = { model, weights, batch, single: oracle, added: 5e-7, oracle };
    reference = await oracleReference({ ...parts, iterations: 2 });
    oneStep = await oracleReference({ ...parts, iterations: 1 });
  });

  const stage = () => [kinkFreeBatch];

  it('fails by far more than rounding when nobody looks for flips', async () => {
    const { verdicts } = await judgeStage(stage, { backend: ort, reference, weights });
    const worst = Math.max(...verdicts.flatMap((v) => v.checks.map((c) => c.value)));
    expect(verdicts.every(passed)).toBe(false);
    expect(worst).toBeGreaterThan(4);
  });

  it('passes with the flipped decision named', async () => {
    const found = await judgeStage(stage, { backend: ort, oracle, reference, weights });
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
    const { verdicts } = await judgeStage(stage, { backend, oracle, reference, weights });
    const failed = verdicts.filter((v) => !passed(v)).map((v) => v.name);
    expect(failed).toContain('iter0/features.5.weight.grad');
    const trace = await traceStep({ backend, oracle, reference, weights });
    expect(trace.rows[trace.firstDivergence!]).toMatchObject({ layer: 'features.8' });
  });

  /** What stage and trace say of one step, in which a decision has flipped besides. */
  async function beside(backend: Backend, of: Reference) {
    const context = { backend, oracle, reference: of, weights };
    const { verdicts, notes } = await judgeStage(stage, context);
    const { rows } = await traceStep(context);
    return {
      notes: notes.join(),
      failed: verdicts.filter((v) => !passed(v)).map(({ name }) => name),
      excused: verdicts.flatMap(({ flips = [] }) => flips).length,
      states: new Map(rows.map(({ name, state }) => [name, state])),
    };
  }

  it('excuses no other gradient: a wrong last one, which no later decision shows', async () => {
    // The last weight gradient alone: 32 features to 10 classes.
    const wrong = (node: Node, operands: readonly Node[]): Node | undefined =>
      node.op === 'matmul' && node.shape.join() === '10,32'
        ? mul({ ...node, inputs: operands } as Node, 1.001)
        : undefined;
    const found = await beside(alteredBackend(ort, wrong), oneStep);
    expect(found.failed.filter((name) => name.endsWith('.grad'))).toEqual([
      'iter0/classifier.6.weight.grad',
    ]);
    expect(found.excused).toBeGreaterThan(0);
    expect(found.states.get('classifier.6.weight.grad')).toBe('diverges');
    expect(found.states.get('features.0.bias.grad')).toBe('flipped');
  });

  it('excuses nothing beside a decision farther from its kink than rounding reaches', async () => {
    /** 1 where `x` is above `limit`. */
    const above = (x: Node, limit: number): Node =>
      reluGrad(constant(1, x.shape), relu(sub(x, limit)));
    // All that is above zero and not above `farKink` goes as far below it.
    const wrong = (node: Node, operands: readonly Node[]): Node | undefined => {
      const [from] = node.inputs;
      if (node.op !== 'add' || from.op !== 'conv2d' || from.inputs[0].op !== 'input') return;
      const x = { ...node, inputs: operands } as Node;
      const between = sub(above(x, 0), above(x, farKink * 1.0001));
      return sub(x, mul(between, 2 * farKink));
    };
    const found = await beside(alteredBackend(ort, wrong), oneStep);
    expect(found.notes).toMatch(
      /\d+ decisions differ from the truth's beyond rounding: features\.1/,
    );
    expect(found.failed).toContain('iter0/features.0.weight.grad');
    expect(found.excused).toBe(0);
    expect([...found.states.values()]).not.toContain('flipped');
  });

  it('excuses nothing where the oracle does not repeat PyTorch', async () => {
    const name = 'iter0/classifier.6.weight.grad';
    const arrays = (file: string): TensorMap => {
      const all = new Map(oneStep.arrays(file));
      for (const key of [`f32/${name}`, `f64/${name}`]) {
        const held = all.get(key);
        if (held !== undefined) {
          all.set(
            key,
            tensor(
              'float64',
              held.shape,
              toFloat64(held).map((v) => v * 1.001),
            ),
          );
        }
      }
      const single = all.get(`f32/${name}`);
      if (single !== undefined) {
        all.set(`f32/${name}`, tensor('float32', single.shape, toFloat32(single)));
      }
      return all;
    };
    const found = await beside(ort, { ...oneStep, arrays });
    expect(found.notes).toContain("does not repeat PyTorch's float64 gradients");
    expect(found.failed).toContain(name);
    expect(found.excused).toBe(0);
    expect(found.states.get('classifier.6.weight.grad')).toBe('diverges');
  });

  it('does not look where that would take the oracle minutes, unless it is asked to', async () => {
    const large = { ...oneStep, model: vgg({ depth: 16, batchNorm: false, classes: 10 }) };
    const told: string[] = [];
    const look = { backend: ort, oracle, progress: (text: string) => void told.push(text) };
    const judged = {
      verdicts: [],
      found: new Map(),
      arrays: new Map(),
      scaleOf: () => undefined,
      start: new Map(),
      iterations: 10,
      bar: 5e-6,
    };
    const { notes } = await judgeFlipped(look, recordedBatch(large), judged);
    expect(notes.join()).toMatch(/^not checked: .* \d+ billion products, .*--flips runs it$/);
    expect(told).toEqual([]);
    const small = { ...judged, start: recordedBatch(reference).start(weights), iterations: 1 };
    await judgeFlipped({ ...look, unbounded: true }, recordedBatch(oneStep), small);
    expect(told[0]).toBe('float64 oracle: decisions of iteration 1 of 1');
  });
});

describe('what counts as rounding at a kink', () => {
  const size = 4096;
  const decision = { layer: 'relu', node: relu(input('x', [size])) as Node<'relu'> };
  /** ±0.5 and one element at `kink` times their RMS; ours takes that one across, and errs by `error` in the rest. */
  const apart = (kink: number, error: number) => {
    const truth = Float64Array.from({ length: size }, (_, i) => (i % 2 === 0 ? 0.5 : -0.5));
    truth[7] = kink * 0.5;
    const ours = truth.map((v, i) => (i === 7 ? -v : v * (1 + error)));
    const held = (data: Float64Array): TensorMap =>
      new Map([[decidedOn('relu'), tensor('float64', [size], data)]]);
    const { flips, beyond } = decisionsApart([decision], held(ours), held(truth), 5e-6);
    return [flips.length, beyond.length];
  };

  it('is a millionth of the RMS, or five times the layer’s error', () => {
    expect(apart(0.99e-6, 0)).toEqual([1, 0]);
    expect(apart(1.01e-6, 0)).toEqual([0, 1]);
    expect(apart(4.9e-6, 1e-6)).toEqual([1, 0]);
    expect(apart(5.2e-6, 1e-6)).toEqual([0, 1]);
  });

  it('is no more for a layer that is wrong: its error counts up to the bar', () => {
    expect(apart(2.4e-5, 1e-3)).toEqual([1, 0]);
    expect(apart(2.6e-5, 1e-3)).toEqual([0, 1]);
  });
});
