import type { Backend } from '../backends/backend.ts';
import { DeviceError } from '../errors.ts';
import type { Module } from '../nn/module.ts';
import { evaluationStep } from '../program/evaluationStep.ts';
import { type Tensor, type TensorMap, zeros } from '../tensor/tensor.ts';
import { exportedForward, exportedModel } from './exportedModel.ts';
import type { StageName } from './manifest.ts';
import { type AbsentWitness, type Matrix, matrixOf, type Witness } from './matrix.ts';
import type { Reference } from './reference.ts';
import { type ReferenceContext, runStage, type StageResult } from './stage.ts';
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

/** Evaluating an image takes a fast backend hundredths of a second; the stages need thousands of passes. */
const mostSecondsAnImage = 0.5;

/** How long one image takes through a model, once everything is warm. */
async function secondsAnImage(backend: Backend, model: Module): Promise<number> {
  const program = evaluationStep(model, [1, 3, 32, 32]);
  const executable = await backend.compile(program, ['logits']);
  const state = await backend.upload(
    new Map(model.state.map(({ name, shape }) => [name, zeros('float32', shape)])),
  );
  const inputs = new Map<string, Tensor>([
    ['images', zeros('float32', [1, 3, 32, 32])],
    ['labels', zeros('int64', [1])],
  ]);
  await executable.run(state, inputs);
  const start = performance.now();
  await executable.run(state, inputs);
  const seconds = (performance.now() - start) / 1000;
  await executable.dispose();
  await backend.free(state);
  return seconds;
}

/** A backend that is here and fast enough, or why not. */
async function openFast(name: string, run: SideBySide): Promise<Backend | string> {
  if (run.named) return run.open(name);
  const backend = await run.open(name).catch((error: unknown) => {
    if (error instanceof DeviceError) return error.message;
    throw error;
  });
  if (typeof backend === 'string' || run.references.length === 0) return backend;
  const seconds = await secondsAnImage(backend, run.references[0].model);
  if (seconds <= mostSecondsAnImage) return backend;
  await backend.close?.();
  return `an image takes it ${seconds.toFixed(1)} s; name it with --backends to have it all the same`;
}

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
    results: [await runStage('forward', stage, contextOf(run, reference))],
  };
}

/**
 * Runs the stages on every backend in turn, and the forward stage on the graph that PyTorch itself exports.
 * Gives a matrix a reference. Throws DeviceError when a backend that was named is missing.
 */
export async function sideBySide(run: SideBySide): Promise<Matrix[]> {
  const witnesses = new Map<Reference, Witness[]>(run.references.map((r) => [r, []]));
  const absent: AbsentWitness[] = [];
  for (const name of run.backends) {
    const backend = await openFast(name, run);
    if (typeof backend === 'string') {
      run.progress(`${name}: left out, ${backend}`);
      absent.push({ name, why: backend });
      continue;
    }
    for (const [reference, found] of witnesses) {
      const { model, stages: recorded } = reference.manifest;
      run.progress(`${name}: ${model} on ${backend.description}`);
      const results: StageResult[] = [];
      for (const stage of run.stages.filter((s) => recorded[s] !== undefined)) {
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
    matrices.push(
      typeof exported === 'string'
        ? matrixOf(model, found, [...absent, { name: exportedName, why: exported }])
        : matrixOf(model, [...found, exported], absent),
    );
  }
  return matrices;
}
