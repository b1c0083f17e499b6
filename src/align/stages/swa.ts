import { readCifar10 } from '../../data/cifar.ts';
import { evaluationBatches } from '../../data/loader.ts';
import { learningRate } from '../../optim/schedule.ts';
import { swaShares } from '../../optim/swaUpdate.ts';
import { averageOf, averageWeights } from '../../program/weightUpdates.ts';
import { scalar, type Tensor, type TensorMap, tensor } from '../../tensor/tensor.ts';
import { refreshBatchNorm, refreshPrograms } from '../../train/refreshBatchNorm.ts';
import { isConstant, judgeRecorded, recorded, recordedNames } from '../recorded.ts';
import { arrayOf } from '../reference.ts';
import { startingWeights, weightsFromSeed } from '../seedWeights.ts';
import type { Stage, StageContext, StageFindings } from '../stage.ts';
import { tolerances } from '../tolerances.ts';
import { check, type Verdict } from '../verdict.ts';
import { inTurn, nothing } from './parts.ts';

/** The learning-rate schedules as published, the running average, and the refresh of batch norm. */
export const swa: Stage = async (context) => {
  const { file } = context.reference.stage('swa');
  const arrays = context.reference.arrays(file);
  return inTurn(context, [
    () => schedules(context, arrays, file),
    () => average(context, arrays),
    () => batchNorm(context, arrays),
  ]);
};

/** Every epoch's learning rate, to the last bit of a float64. */
function schedules({ reference }: StageContext, arrays: TensorMap, file: string): StageFindings {
  const { settings } = reference.stage('swa');
  const { lr_init: lrInit, swa_lr: swaLr, schedules: named } = settings;
  if (named === undefined || lrInit === undefined || swaLr === undefined) return nothing;
  const ours = new Map<string, Tensor>();
  const pytorch = new Map<string, Tensor>();
  const verdicts = Object.entries(named).map(([name, { epochs, swa_start: start }]): Verdict => {
    const key = `schedule/${name}`;
    const averaging = start === undefined ? {} : { swa: { start, lr: swaLr } };
    const rates = Float64Array.from({ length: epochs }, (_, epoch) =>
      learningRate(epoch, { lrInit, epochs, ...averaging }),
    );
    const expected = arrayOf(arrays, key, file);
    ours.set(key, tensor('float64', [epochs], rates));
    pytorch.set(key, expected);
    const differing = rates.filter((lr, epoch) => lr !== expected.data[epoch]).length;
    return { name: key, checks: [check('equal', differing, 0, { note: `${epochs} epochs` })] };
  });
  return { ...nothing, verdicts, ours, pytorch };
}

/** Three snapshots, each the initial weights of its seed, averaged one after the other. */
async function average(
  { backend, reference }: StageContext,
  arrays: TensorMap,
): Promise<StageFindings> {
  const names = recordedNames(arrays, 'average/');
  const { snapshot_seeds: seeds } = reference.stage('swa').settings;
  if (names.length === 0 || seeds === undefined) return nothing;
  const parameters = reference.model.state.filter((s) => s.role === 'parameter');
  const executable = await backend.compile(
    averageWeights(parameters.map(({ name, shape }) => [name, shape])),
    [],
  );
  const first = weightsFromSeed(reference.model, seeds[0]);
  const zero = new Map(
    parameters.map(({ name }): [string, Tensor] => {
      const { shape, data } = first.get(name)!;
      return [averageOf(name), tensor('float32', shape, new Float32Array(data.length))];
    }),
  );
  const state = await backend.upload(zero);
  for (const [n, seed] of seeds.entries()) {
    const snapshot = weightsFromSeed(reference.model, seed);
    for (const [name, value] of await backend.upload(snapshot)) state.set(name, value);
    const { keep, take } = swaShares(n);
    const feeds = new Map([
      ['keep', scalar(keep)],
      ['take', scalar(take)],
    ]);
    await executable.run(state, feeds);
  }
  const averaged = await backend.download(
    state,
    parameters.map(({ name }) => averageOf(name)),
  );
  await executable.dispose();
  await backend.free(state);
  const found = new Map(parameters.map(({ name }) => [name, averaged.get(averageOf(name))!]));
  // Convolution biases start at zero in every snapshot, and zero averaged with zero proves nothing.
  const telling = names.filter((name) => !isConstant(recorded(arrays, `average/${name}`)!.truth));
  return judgeAll(found, arrays, 'average/', telling);
}

/** Running statistics from the first synthetic training images, the last batch a short one. */
async function batchNorm(context: StageContext, arrays: TensorMap): Promise<StageFindings> {
  const { backend, reference } = context;
  const { images, batch } = reference.stage('swa').settings;
  const names = recordedNames(arrays, 'bn_refresh/');
  if (names.length === 0 || images === undefined || batch === undefined) return nothing;
  const { weights, verdict } = startingWeights(context);
  const set = readCifar10(reference.syntheticDirectory(), 'train');
  const part = { ...set, count: images };
  const batches = [...evaluationBatches(part, batch, reference.preparation)].map((b) => b.images);
  const programs = refreshPrograms(backend, reference.model);
  const state = await backend.upload(weights);
  await refreshBatchNorm(backend, reference.model, programs, state, batches);
  const found = await backend.download(state, names);
  await programs.dispose();
  await backend.free(state);
  const judged = judgeAll(found, arrays, 'bn_refresh/', names);
  return {
    ...judged,
    verdicts: [verdict, ...judged.verdicts],
    inputs: Object.keys(reference.manifest.inputs).filter((path) => path.includes('data_batch')),
    notes: [`batch norm refreshed on ${batches.map((b) => b.shape[0]).join(' + ')} images`],
  };
}

function judgeAll(
  found: TensorMap,
  arrays: TensorMap,
  prefix: string,
  names: readonly string[],
): StageFindings {
  const judged = names.map((name) => {
    const { relativeL2 } = tolerances;
    return judgeRecorded(prefix + name, found.get(name)!, recorded(arrays, prefix + name)!, {
      relativeL2,
    });
  });
  return {
    ...nothing,
    verdicts: judged.map((j) => j.verdict),
    ours: new Map(judged.map((j) => [j.verdict.name, j.ours])),
    pytorch: new Map(judged.map((j) => [j.verdict.name, j.pytorch])),
  };
}
