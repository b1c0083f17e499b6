/** Two training steps of a small network, for a backend and for the oracle, and how far the two are apart. */
import { initPlan, type Module } from '../../../nn/module.ts';
import { gradientOf, type Program } from '../../../program/program.ts';
import { trainingStep } from '../../../program/trainingStep.ts';
import { type Tensor, type TensorMap, tensor, toFloat64 } from '../../../tensor/tensor.ts';
import { dropoutMask } from '../../../torch/dropout.ts';
import { manualSeed } from '../../../torch/generator.ts';
import { initialise } from '../../../torch/initialise.ts';
import { normal } from '../../../torch/normal.ts';
import { feedsOf, initialTrainingState } from '../../../train/trainingState.ts';
import type { Backend } from '../../backend.ts';

const batch = 4;
const pixels = new Float32Array(batch * 3072);
normal(manualSeed(3), pixels, 0, 1);
const images = tensor('float32', [batch, 3, 32, 32], pixels) as Tensor<'float32'>;
const labels = tensor('int64', [batch], BigInt64Array.of(7n, 0n, 9n, 4n)) as Tensor<'int64'>;

export interface NarrowTraining {
  readonly program: Program;
  readonly state: TensorMap;
  /** What each of the two steps is fed. */
  readonly feeds: readonly TensorMap[];
}

/** A model of ten classes from a fixed seed, and a batch of four images. */
export function narrowTraining(model: Module): NarrowTraining {
  const settings = {
    optimizer: { kind: 'sgd', momentum: 0.9, weightDecay: 5e-4 },
    dropout: true,
  } as const;
  const program = trainingStep(model, { images: images.shape, ...settings });
  const random = manualSeed(1);
  const state = initialTrainingState(
    model,
    initialise(initPlan(model), random),
    settings.optimizer,
  );
  const feeds = [0, 1].map(() => {
    const masks = model.dropouts.map(({ p, width }) => dropoutMask(random, p, batch * width));
    return feedsOf({ images, labels, masks }, { lr: 0.05 });
  });
  return { program, state, feeds };
}

export interface Trained {
  /** Every gradient and the loss of the first step. */
  readonly first: TensorMap;
  /** The state after the last. */
  readonly after: TensorMap;
}

export async function trained(
  on: Backend,
  { program, state, feeds }: NarrowTraining,
): Promise<Trained> {
  const gradients = [...program.state.keys()].map(gradientOf).filter((n) => program.fetches.has(n));
  const executable = await on.compile(program, ['loss', 'correct', ...gradients]);
  const held = await on.upload(state);
  const results: TensorMap[] = [];
  for (const feed of feeds) results.push(await executable.run(held, feed));
  const after = await on.download(held);
  await on.free(held);
  await executable.dispose();
  return { first: results[0], after };
}

const norm = (t: Tensor): number => Math.hypot(...toFloat64(t));

const relative = (ours: Tensor, truth: Tensor): number => {
  const a = toFloat64(ours);
  return Math.hypot(...toFloat64(truth).map((v, i) => a[i] - v)) / norm(truth);
};

/** Below it, a gradient in float64 is rounding. */
const nothing = 1e-12;

/**
 * The largest relative errors among the tensors. A bias that batch norm takes out again has no gradient: that, its
 * momentum, and the bias where it began as zero are noise in every precision, and left out.
 */
export function worstErrors(
  ours: Trained,
  truth: Trained,
): { readonly first: number; readonly after: number } {
  const isNoise = (t: Tensor | undefined): boolean => t !== undefined && norm(t) <= nothing;
  const worst = (a: TensorMap, b: TensorMap): number =>
    Math.max(
      ...[...b].flatMap(([name, t]) => {
        const gradient = truth.first.get(gradientOf(name.replace(/\.momentum$/, '')));
        const noise = isNoise(t) || (name.endsWith('.momentum') && isNoise(gradient));
        return noise ? [] : [relative(a.get(name)!, t)];
      }),
    );
  return { first: worst(ours.first, truth.first), after: worst(ours.after, truth.after) };
}
