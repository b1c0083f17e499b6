import type { Manifest, StageName } from './manifest.ts';

type Stages = Manifest['stages'];

/** A training step is a pass forward and two back: to the inputs and to the weights. */
const step = 3;
const fakeImages = 30;
/** Steps of the original port's profile, on all fake images. */
const portSteps = 3;

const passes: { readonly [S in StageName]: (section: NonNullable<Stages[S]>) => number } = {
  // single layers of a few channels
  ops: () => 0,
  // once for the logits, once with every layer kept
  forward: ({ settings }) => 2 * (settings?.images ?? fakeImages),
  metric: ({ images }) => images,
  loss: ({ settings }) => settings?.images ?? fakeImages,
  backward: ({ kinkfree: { settings }, ncpaddle }) =>
    // one iteration more is the one layer by layer
    step * (settings.images * (settings.iterations + 1) + (ncpaddle ? portSteps * fakeImages : 0)),
  train: ({ settings, steps }) => step * settings.batch * steps.length,
  swa: ({ settings }) => settings?.images ?? 0,
  // whole and resumed; cost falls with the square of the width
  epochs: ({ settings: { images, epochs, narrow } }) =>
    (2 * step * images * epochs) / (narrow * narrow),
};

/** About how many passes of one image through the model a recorded stage takes; 0 where it is not recorded. */
export function stagePasses(stages: Stages, name: StageName): number {
  const section = stages[name];
  const count = passes[name] as (s: NonNullable<Stages[StageName]>) => number;
  return section === undefined ? 0 : count(section);
}
