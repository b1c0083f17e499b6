import { releasing } from '../../backends/holding.ts';
import { readCifar10 } from '../../data/cifar.ts';
import { openTrainingStream, type TrainingStep } from '../../data/trainingStream.ts';
import { sha256Hex } from '../../io/sha256/sha256.ts';
import { initPlan } from '../../nn/module.ts';
import { bytesOf, scalar, type Tensor, tensor, toFloat64 } from '../../tensor/tensor.ts';
import { stepPrograms, stepper } from '../../train/loop/stepper.ts';
import { initialTrainingState } from '../../train/trainingState.ts';
import { counted } from '../../words.ts';
import type { Expectation } from '../judge/expectation.ts';
import { tolerances } from '../judge/tolerances.ts';
import type { Manifest } from '../reference/manifest.ts';
import { recordedOptimizer } from '../reference/recordedOptimizer.ts';
import { arrayOf, type Reference } from '../reference/reference.ts';
import { digestRows, expectedWeights, weightDigests } from './sameStart.ts';
import type { Part, PartRun, Stage, StageContext } from './stage.ts';

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

/** The parts of `steps`, each as a tensor of digests, a step a row. */
function digestTensors(steps: Section['steps']): [string, Tensor][] {
  const parts = Object.keys(steps[0]) as (keyof Section['steps'][number])[];
  return parts.map((part) => [part, digestRows(steps.map((step) => step[part] ?? ''))]);
}

/** The first steps of a run, made by the loop that trains. */
async function firstSteps({ backend, reference }: StageContext): Promise<PartRun> {
  const section = reference.stage('train');
  const { settings } = section;
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
  const losses: number[] = [];
  const seen: Section['steps'] = [];
  await releasing(async (on) => {
    const { make, window } = stepper(backend, {
      stream,
      programs: stepPrograms(on(backend), model, { optimizer, dropout: settings.dropout > 0 }),
      state: await on(backend).upload(initialTrainingState(model, weights, optimizer)),
      optimizer,
    });
    for (let k = 0; k < settings.iterations; k++) {
      seen.push(digestsOf(await make(k, settings.lr)));
      losses.push(...(await window.read()).map(({ signs }) => signs.loss));
    }
  });
  const [first, last] = [losses[0], losses[losses.length - 1]];
  const start = weightDigests(weights, section.weights.sha256);
  return {
    ...start,
    recording: new Map([
      ...start.recording,
      ...digestTensors(seen),
      ...losses.map((loss, k): [string, Tensor] => [`loss@${k}`, single(loss)]),
    ]),
    inputs: Object.keys(reference.manifest.inputs).filter((path) => path.includes('data_batch')),
    notes: [`loss ${first.toFixed(4)} → ${last.toFixed(4)} in ${counted(losses.length, 'step')}`],
  };
}

const single = (value: number): Tensor => tensor('float32', [], Float32Array.of(value));

function expectations(reference: Reference): Expectation[] {
  const section = reference.stage('train');
  const arrays = reference.arrays(section.file);
  const theirs = toFloat64(arrayOf(arrays, 'f32/losses', section.file));
  const truth = toFloat64(arrayOf(arrays, 'f64/losses', section.file));
  const digests = digestTensors(section.steps).map(([name, to]): Expectation => {
    const what = `${counted(section.steps.length, 'step')}, by SHA-256`;
    return { name, rule: { kind: 'equality', to, row: (k) => `step ${k}`, what } };
  });
  const losses = Array.from(theirs, (loss, k): Expectation => {
    const floor = section.noise.floor[k];
    const pytorch = single(loss);
    return {
      name: `loss@${k}`,
      rule: {
        kind: 'distance',
        method: 'mean',
        to: pytorch,
        threshold: Math.max(tolerances.lossFloor, tolerances.lossFloorFactor * floor),
        because: `PyTorch from itself ${floor.toExponential(1)}`,
        beside: { pytorch, truth: scalar(truth[k]) },
      },
    };
  });
  return [expectedWeights(section.weights.sha256), ...digests, ...losses];
}

const steps: Part = { run: firstSteps, expect: ({ reference }) => expectations(reference) };

/**
 * The first steps of the real recipe from a seed: two models drawn, the synthetic set shuffled, flipped
 * and cropped, dropout on. What every step sees must be PyTorch's bit for bit; its loss may stray from
 * PyTorch's ten times as far as PyTorch has strayed from itself by that step (two threads, another layout,
 * without oneDNN, float64).
 */
export const train: Stage = () => [steps];
