import type { Manifest, StageName } from '../reference/manifest.ts';

type Stages = Manifest['stages'];

/** Images that go through a model: forward alone, or through a whole training step. */
export interface Passes {
  readonly forward: number;
  readonly steps: number;
}

const fakeImages = 30;
/** Steps of the original port's profile, on all fake images. */
const portSteps = 3;

const passes: { readonly [S in StageName]: (section: NonNullable<Stages[S]>) => Partial<Passes> } =
  {
    // single layers of a few channels
    ops: () => ({}),
    // once for the logits, once with every layer kept
    forward: ({ settings }) => ({ forward: 2 * (settings?.images ?? fakeImages) }),
    metric: ({ images }) => ({ forward: images }),
    loss: ({ settings }) => ({ forward: settings?.images ?? fakeImages }),
    backward: ({ kinkfree: { settings }, ncpaddle }) => ({
      // one iteration more is the one layer by layer
      steps: settings.images * (settings.iterations + 1) + (ncpaddle ? portSteps * fakeImages : 0),
    }),
    train: ({ settings, steps }) => ({ steps: settings.batch * steps.length }),
    swa: ({ settings }) => ({ forward: settings?.images ?? 0 }),
    // whole and resumed; cost falls with the square of the width
    epochs: ({ settings: { images, epochs, narrow } }) => ({
      steps: (2 * images * epochs) / (narrow * narrow),
    }),
    ddp: ({ ranks }) => ({
      steps: Object.values(ranks).reduce(
        (sum, { settings: { images, epochs, narrow } }) =>
          sum + (images * epochs) / (narrow * narrow),
        0,
      ),
    }),
  };

/** About how many passes a recorded stage takes; none where it is not recorded. */
export function stagePasses(stages: Stages, name: StageName): Passes {
  const section = stages[name];
  const count = passes[name] as (s: NonNullable<Stages[StageName]>) => Partial<Passes>;
  return { forward: 0, steps: 0, ...(section && count(section)) };
}
