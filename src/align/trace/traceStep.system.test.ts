import { beforeAll, describe, expect, it } from 'vitest';
import type { Backend } from '../../backends/backend.ts';
import { oracleBackend } from '../../backends/oracle/oracleBackend.ts';
import { ortBackend } from '../../backends/ort/cpu/ortBackend.ts';
import { mul } from '../../ir/build.ts';
import type { Node } from '../../ir/node.ts';
import type { Network } from '../../nn/module.ts';
import type { TensorMap } from '../../tensor/tensor.ts';
import type { Reference } from '../reference/reference.ts';
import { alteredBackend } from '../testdata/alteredBackend.ts';
import { narrowModel, narrowWeights, randomBatch } from '../testdata/narrowStep.ts';
import { oracleReference } from '../testdata/oracleReference.ts';
import { rowPassed, type Trace, tracePassed } from './trace.ts';
import { traceStep } from './traceStep.ts';

const oracle = oracleBackend();
const model = narrowModel();
const weights = narrowWeights();
let ort: Backend;
let reference: Reference;

beforeAll(async () => {
  ort = await ortBackend({});
  const batch = randomBatch(5, 1);
  reference = await oracleReference({ model, weights, batch, iterations: 1, single: ort, oracle });
});

const traced = (backend: Backend, of = reference, start: TensorMap = weights): Promise<Trace> =>
  traceStep({ backend, oracle, reference: of, weights: start });

const first = ({ rows, firstDivergence }: Trace) => rows[firstDivergence ?? -1];

/** The names of the rows that are as they should be, and of the others by their state. */
const states = ({ rows }: Trace) => new Map(rows.map(({ name, state }) => [name, state]));

/** Multiplies the result of the ops that `which` picks. */
const scaled =
  (which: (node: Node) => boolean, by: number) =>
  (node: Node, operands: readonly Node[]): Node | undefined =>
    which(node) ? mul({ ...node, inputs: operands } as Node, by) : undefined;

describe('a trace', () => {
  it('agrees from end to end where nothing is wrong', async () => {
    const trace = await traced(ort);
    expect(trace.firstDivergence).toBeUndefined();
    expect(tracePassed(trace)).toBe(true);
    expect(trace.rows.every(({ added }) => added !== undefined)).toBe(true);
    expect(trace.notes.join()).toContain('it is the backend');
  });

  it('names the layer whose op the backend gets wrong; later ones inherit', async () => {
    // features.23 pools maps of 4×4
    const wrong = scaled((n) => n.op === 'maxPool2d' && n.shape[2] === 2, 1 + 1e-4);
    const trace = await traced(alteredBackend(ort, wrong));
    expect(first(trace)).toMatchObject({ name: 'features.23', layer: 'features.23' });
    expect(first(trace).added!.ours).toBeGreaterThan(5e-5);
    const state = states(trace);
    expect(state.get('features.22')).toBe('agrees');
    expect(state.get('features.24')).toBe('inherits');
    const others = trace.rows.filter((r) => r.state === 'diverges').map((r) => r.name);
    expect(others).toEqual(['features.23']);
  });

  it('tells a wrong adjoint from a right forward pass', async () => {
    const wrong = scaled((n) => n.op === 'maxPool2dGrad' && n.shape[2] === 4, 1 + 1e-4);
    const trace = await traced(alteredBackend(ort, wrong));
    expect(first(trace)).toMatchObject({
      kind: 'output gradient',
      name: 'features.22.output.grad',
      layer: 'features.23',
    });
    const state = states(trace);
    expect(trace.rows.filter((r) => r.kind === 'output').every(rowPassed)).toBe(true);
    expect(state.get('features.24.weight.grad')).toBe('agrees');
    expect(state.get('features.21.weight.grad')).toBe('inherits');
  });

  it('finds the layer whose weights differ on our side', async () => {
    const changed: Backend = {
      ...ort,
      upload: (values) => {
        const w = values.get('features.10.weight')!;
        const data = Float32Array.from(w.data as Float32Array, (v) => v * (1 + 1e-4));
        return ort.upload(new Map([...values, ['features.10.weight', { ...w, data } as typeof w]]));
      },
    };
    const trace = await traced(changed);
    expect(first(trace)).toMatchObject({ name: 'features.10', kind: 'output' });
    const own = trace.rows.filter((r) => r.state === 'diverges').map((r) => r.name);
    expect(own).toEqual(['features.10', 'features.9.output.grad']);
  });

  it('says that the graph is wrong where the oracle on it leaves the truth', async () => {
    const mistaken: Network = {
      ...model,
      forward: (x, pass) => model.forward(mul(x, 1.001), pass),
    };
    const trace = await traced(ort, { ...reference, model: mistaken });
    expect(first(trace)).toMatchObject({ name: 'features.0', state: 'diverges' });
    expect(first(trace).problem).toContain('the mistake is in the graph');
    expect(trace.notes.join()).toContain('from features.0 on');
  });

  it('misses what the model does not compute', async () => {
    const arrays = (file: string): TensorMap =>
      file === 'trace.npz'
        ? new Map([
            ...reference.arrays(file),
            ['f32/features.99', reference.arrays(file).get('f32/features.0')!],
            ['f64/features.99', reference.arrays(file).get('f64/features.0')!],
          ])
        : reference.arrays(file);
    const trace = await traced(ort, { ...reference, arrays });
    expect(first(trace)).toMatchObject({ name: 'features.99', state: 'missing' });
  });

  it('lets a limit set by hand pass, and shows why', async () => {
    const wrong = scaled((n) => n.op === 'maxPool2d' && n.shape[2] === 2, 1 + 1e-5);
    const overrides = [{ tensor: '*', limit: 1e-4, reason: 'a known pooling' }];
    const backend = alteredBackend(ort, wrong);
    expect(tracePassed(await traced(backend))).toBe(false);
    const trace = await traceStep({ backend, oracle, reference, weights, overrides });
    expect(tracePassed(trace)).toBe(true);
    expect(trace.rows[0].limit?.why).toContain('a known pooling');
  });
});
