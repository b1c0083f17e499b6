import type { Backend } from '../backends/backend.ts';
import { DeviceError } from '../errors.ts';
import type { DType } from '../ir/op.ts';
import type { Network } from '../nn/module.ts';
import { evaluationStep } from '../program/evaluationStep.ts';
import type { Program } from '../program/program.ts';
import { trainingStep } from '../program/trainingStep.ts';
import type { Shape } from '../tensor/shape.ts';
import { type Tensor, type TensorMap, zeros } from '../tensor/tensor.ts';
import { exportedForward, exportedModel } from './exportedModel.ts';
import type { StageName } from './manifest.ts';
import { type AbsentWitness, type Matrix, matrixOf, type Witness } from './matrix.ts';
import type { Reference } from './reference.ts';
import { type ReferenceContext, runStage, type StageResult } from './stage.ts';
import { stagePasses } from './stagePasses.ts';
import { stages } from './stages/index.ts';

export interface SideBySide {
  /** In the order in which they are run and shown. */
  readonly backends: readonly string[];
  /** Throws DeviceError for a backend that this machine does not have. */
  readonly open: (name: string) => Promise<Backend>;
  /** True where the user named the backends: then none may be missing, and none is too slow. */
  readonly named: boolean;
  readonly stages: readonly StageName[];
  readonly references: readonly Reference[];
  readonly weights?: TensorMap;
  /** Says in float64 which decisions rounding has flipped. */
  readonly oracle: Backend;
  /** Runs an ONNX model that is not ours. */
  readonly runOnnx: (bytes: Uint8Array, feeds: TensorMap) => Promise<TensorMap>;
  /** Told what begins. */
  readonly progress: (text: string) => void;
}

/** A stage that would take a backend longer is left out, unless the backend was named. */
const mostSecondsAStage = 300;

/** Seconds an image takes a backend: forward alone, and in a training step. */
interface Pace {
  readonly forward: number;
  readonly step: number;
}

/** Times the last of `runs` on an image of zeros, with weights of zeros. */
async function secondsOf(backend: Backend, program: Program, runs: number): Promise<number> {
  const blank = (shape: Shape, dtype: DType): Tensor =>
    zeros(dtype === 'int' ? 'int64' : 'float32', shape);
  const executable = await backend.compile(program, ['loss']);
  const state = await backend.upload(
    new Map([...program.state].map(([name, { current }]) => [name, blank(current.shape, 'float')])),
  );
  const inputs = new Map(
    [...program.inputs].map(([name, node]) => [name, blank(node.shape, node.dtype)]),
  );
  let start = 0;
  for (let i = 0; i < runs; i++) {
    start = performance.now();
    await executable.run(state, inputs);
  }
  const seconds = (performance.now() - start) / 1000;
  await executable.dispose();
  await backend.free(state);
  return seconds;
}

/** A pace at which no stage takes long, however much more a step is than a pass forward. */
const fast = 0.2;

/** A step is timed only where it matters, and once: there are backends that need a minute for it. */
async function paceOf(backend: Backend, model: Network): Promise<Pace> {
  const images = [1, ...model.image];
  const forward = await secondsOf(backend, evaluationStep(model, images), 2);
  if (forward < fast) return { forward, step: 3 * forward };
  const settings = {
    images,
    optimizer: { kind: 'sgd', momentum: 0.9, weightDecay: 0 },
    dropout: true,
  } as const;
  return { forward, step: await secondsOf(backend, trainingStep(model, settings), 1) };
}

/** A backend that is here, or why not. */
async function openPresent(name: string, run: SideBySide): Promise<Backend | string> {
  if (run.named) return run.open(name);
  return run.open(name).catch((error: unknown) => {
    if (error instanceof DeviceError) return error.message;
    throw error;
  });
}

/** Stages of a reference in two heaps: those that are run, and those that would take too long, with the seconds. */
async function affordable(
  backend: Backend,
  run: SideBySide,
  { model, manifest }: Reference,
): Promise<{
  readonly run: readonly StageName[];
  readonly tooLong: ReadonlyMap<StageName, number>;
}> {
  const recorded = run.stages.filter((stage) => manifest.stages[stage] !== undefined);
  if (run.named) return { run: recorded, tooLong: new Map() };
  const pace = await paceOf(backend, model);
  const seconds = recorded.map((stage): [StageName, number] => {
    const { forward, steps } = stagePasses(manifest.stages, stage);
    return [stage, forward * pace.forward + steps * pace.step];
  });
  const tooLong = new Map(seconds.filter(([, expected]) => expected > mostSecondsAStage));
  return { run: recorded.filter((stage) => !tooLong.has(stage)), tooLong };
}

const tooLongText = (stages: ReadonlyMap<StageName, number>): string =>
  `${[...stages].map(([name, s]) => `${name} (${Math.round(s / 60)} min)`).join(', ')} would take it too long; name it with --backends to have all the same`;

const contextOf = ({ oracle, weights }: SideBySide, reference: Reference): ReferenceContext => ({
  oracle,
  reference,
  ...(weights && { weights }),
});

const exportedName = 'ort, PyTorch’s export';

/** The stage *forward* of the graph that PyTorch exports, where there is one. */
async function exportedWitness(run: SideBySide, reference: Reference): Promise<Witness | string> {
  if (!run.stages.includes('forward')) return 'it has only the stage forward';
  const exported = exportedModel(reference.manifest.model);
  if (exported === undefined) return 'fixtures/export_onnx.py has not exported this model';
  const stage = exportedForward((feeds) => run.runOnnx(exported.bytes, feeds));
  return {
    name: exportedName,
    description: `the ONNX graph that PyTorch ${exported.torch} exports, by ONNX Runtime`,
    // The graph brings its own engine: of our backends it asks none.
    results: [
      await runStage('forward', stage, { backend: run.oracle, ...contextOf(run, reference) }),
    ],
  };
}

/**
 * Runs the stages on every backend in turn, and the forward stage on the graph that PyTorch itself exports.
 * Gives a matrix a reference. Throws DeviceError when a backend that was named is missing.
 */
export async function sideBySide(run: SideBySide): Promise<Matrix[]> {
  const witnesses = new Map<Reference, Witness[]>(run.references.map((r) => [r, []]));
  const absent = new Map<Reference, AbsentWitness[]>(run.references.map((r) => [r, []]));
  for (const name of run.backends) {
    const backend = await openPresent(name, run);
    if (typeof backend === 'string') {
      run.progress(`${name}: left out, ${backend}`);
      for (const gone of absent.values()) gone.push({ name, why: backend });
      continue;
    }
    for (const [reference, found] of witnesses) {
      const { model } = reference.manifest;
      run.progress(`${name}: ${model} on ${backend.description}`);
      const chosen = await affordable(backend, run, reference);
      if (chosen.tooLong.size > 0) {
        const why = tooLongText(chosen.tooLong);
        run.progress(`${name}: of ${model}, ${why}`);
        absent.get(reference)!.push({ name, why });
      }
      const results: StageResult[] = [];
      for (const stage of chosen.run) {
        const context = { backend, ...contextOf(run, reference) };
        results.push(await runStage(stage, stages[stage], context));
      }
      found.push({ name, description: backend.description, results });
    }
    await backend.close?.();
  }
  const matrices: Matrix[] = [];
  for (const [reference, found] of witnesses) {
    const exported = await exportedWitness(run, reference);
    const { model } = reference.manifest;
    const gone = absent.get(reference)!;
    matrices.push(
      typeof exported === 'string'
        ? matrixOf(model, found, [...gone, { name: exportedName, why: exported }])
        : matrixOf(model, [...found, exported], gone),
    );
  }
  return matrices;
}
