import { readCifar10 } from '../../data/cifar.ts';
import { openTrainingStream, type TrainingStep, trainingSteps } from '../../data/trainingStream.ts';
import { sha256Hex } from '../../io/sha256.ts';
import { initPlan } from '../../nn/module.ts';
import { scalarsAt } from '../../optim/optimizer.ts';
import { trainingStep } from '../../program/trainingStep.ts';
import { bytesOf, tensor, toFloat64 } from '../../tensor/tensor.ts';
import { feedsOf, initialTrainingState } from '../../train/trainingState.ts';
import type { Manifest } from '../manifest.ts';
import { recordedOptimizer } from '../recordedOptimizer.ts';
import { arrayOf } from '../reference.ts';
import { judgeWeights } from '../seedWeights.ts';
import type { Stage } from '../stage.ts';
import { tolerances } from '../tolerances.ts';
import { check, type Verdict } from '../verdict.ts';

type Section = NonNullable<Manifest['stages']['train']>;

const digest = (view: ArrayBufferView): string =>
  sha256Hex(new Uint8Array(view.buffer, view.byteOffset, view.byteLength));

/** What a step saw, each part by the digest of its bytes. */
const digestsOf = (step: TrainingStep): Section['steps'][number] => ({
  order: digest(BigInt64Array.from(step.order, BigInt)),
  labels: sha256Hex(bytesOf(step.labels)),
  images: sha256Hex(bytesOf(step.images)),
  ...Object.fromEntries(step.masks.map((mask, i) => [`mask${i}`, digest(mask)])),
});

function judgeDigests(found: Section['steps'], expected: Section['steps']): Verdict[] {
  const parts = Object.keys(expected[0]) as (keyof Section['steps'][number])[];
  return parts.map((part) => {
    const differing = expected.flatMap((step, k) => (found[k][part] === step[part] ? [] : [k]));
    const note =
      differing.length === 0
        ? `${expected.length} steps, by SHA-256`
        : `first differs at step ${differing[0]}`;
    return { name: part, checks: [check('equal', differing.length, 0, { note })] };
  });
}

/**
 * The first steps of the real recipe from a seed: two models drawn, the synthetic set shuffled, flipped
 * and cropped, dropout on. What every step sees must be PyTorch's bit for bit; its loss may stray from
 * PyTorch's ten times as far as PyTorch has strayed from itself by that step (two threads, another layout,
 * without oneDNN, float64).
 */
export const train: Stage = async ({ backend, reference }) => {
  const section = reference.stage('train');
  const { settings, noise } = section;
  const arrays = reference.arrays(section.file);
  const { model } = reference;
  const { weights, stream } = openTrainingStream({
    seed: settings.seed,
    plan: initPlan(model),
    secondModel: settings.models_built === 2,
    dataset: readCifar10(reference.syntheticDirectory(), 'train'),
    preparation: reference.preparation,
    batchSize: settings.batch,
    workers: settings.workers,
    dropout: { p: settings.dropout, widths: model.dropouts.map(({ width }) => width) },
  });
  const optimizer = recordedOptimizer(settings);
  const program = trainingStep(model, {
    images: [settings.batch, ...model.image],
    optimizer,
    dropout: settings.dropout > 0,
  });
  const executable = await backend.compile(program, ['loss']);
  const state = await backend.upload(initialTrainingState(model, weights, optimizer));

  const losses = new Float32Array(settings.iterations);
  const seen: Section['steps'] = [];
  for (const step of trainingSteps(stream)) {
    const k = seen.length;
    seen.push(digestsOf(step));
    const results = await executable.run(
      state,
      feedsOf(step, scalarsAt(optimizer, settings.lr, k + 1)),
    );
    losses[k] = toFloat64(results.get('loss')!)[0];
    if (seen.length === settings.iterations) break;
  }
  await executable.dispose();
  await backend.free(state);

  const theirs = arrayOf(arrays, 'f32/losses', section.file);
  const truth = toFloat64(arrayOf(arrays, 'f64/losses', section.file));
  const expected = toFloat64(theirs);
  const lossVerdicts = Array.from(losses, (value, k): Verdict => {
    const floor = noise.floor[k];
    const bound = Math.max(tolerances.lossFloor, tolerances.lossFloorFactor * floor);
    const note = `PyTorch from itself ${floor.toExponential(1)}, ours from float64 ${Math.abs(value - truth[k]).toExponential(1)}`;
    return {
      name: `loss@${k}`,
      checks: [check('mean', Math.abs(value - expected[k]), bound, { note })],
    };
  });
  return {
    verdicts: [
      judgeWeights(weights, section.weights.sha256),
      ...judgeDigests(seen, section.steps),
      ...lossVerdicts,
    ],
    ours: new Map([['losses', tensor('float32', [losses.length], losses)]]),
    pytorch: new Map([['losses', theirs]]),
    inputs: Object.keys(reference.manifest.inputs).filter((path) => path.includes('data_batch')),
    notes: [
      `loss ${losses[0].toFixed(4)} → ${losses[losses.length - 1].toFixed(4)} in ${losses.length} steps`,
    ],
  };
};
