import { z } from 'zod';

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const digests = z.record(z.string(), sha256);
const noise = z.record(z.string(), z.unknown()).optional();
/** PyTorch's float32 to its float64: the worst of all layers. */
const layerNoise = z
  .object({ layers: z.object({ worst: z.number() }).loose() })
  .loose()
  .optional();
/** How many of the fake images a stage sees; all of them when it does not say. */
const fakeImages = z.object({ images: z.int().positive().optional() }).loose();
const sgd = z.object({
  iterations: z.int().positive(),
  lr: z.number(),
  momentum: z.number(),
  weight_decay: z.number(),
  dropout: z.number(),
});

/** The manifest that `fixtures/export_reference.py` writes; see docs/reference-format.md. */
export const manifestSchema = z.object({
  format: z.literal('swa-align-reference/1'),
  model: z.string(),
  classes: z.int().positive(),
  torch: z.object({ version: z.string(), cpu_capability: z.string(), threads: z.int() }).loose(),
  numpy: z.string(),
  weights: z.object({ seed: z.int(), sha256: digests }),
  inputs: digests,
  files: digests,
  stages: z.object({
    forward: z
      .object({ file: z.string(), settings: fakeImages, noise: layerNoise })
      .loose()
      .optional(),
    loss: z.object({ file: z.string(), settings: fakeImages, noise }).loose().optional(),
    metric: z
      .object({
        file: z.string(),
        images: z.int().positive(),
        settings: z.object({ batch: z.int() }).loose(),
        noise,
      })
      .loose()
      .optional(),
    backward: z
      .object({
        file: z.string(),
        kinkfree: z
          .object({
            batch: z.string(),
            settings: sgd
              .extend({ images: z.int(), margin: z.number(), noise_factor: z.number() })
              .loose(),
            cancelled: z.array(z.string()),
            smallest_margin: z.number(),
            noise,
          })
          .loose(),
        ncpaddle: z.object({ settings: sgd.loose() }).loose().optional(),
      })
      .loose()
      .optional(),
    train: z
      .object({
        file: z.string(),
        settings: sgd
          .extend({ seed: z.int(), batch: z.int(), models_built: z.int(), workers: z.int() })
          .loose(),
        weights: z.object({ seed: z.int(), sha256: digests }),
        steps: z.array(
          z.object({
            order: sha256,
            labels: sha256,
            images: sha256,
            mask0: sha256.optional(),
            mask1: sha256.optional(),
          }),
        ),
        noise: z.object({ floor: z.array(z.number()) }).loose(),
      })
      .loose()
      .optional(),
    swa: z
      .object({
        file: z.string(),
        settings: z
          .object({
            lr_init: z.number(),
            swa_lr: z.number(),
            schedules: z.record(
              z.string(),
              z.object({ epochs: z.int(), swa: z.boolean(), swa_start: z.int().optional() }),
            ),
            snapshot_seeds: z.array(z.int()),
            seed: z.int(),
            images: z.int(),
            batch: z.int(),
          })
          .partial()
          .loose(),
        noise,
      })
      .loose()
      .optional(),
  }),
});

export type Manifest = z.infer<typeof manifestSchema>;

export type StageName = keyof Manifest['stages'];

/** In the order they build on each other. */
export const stageNames: readonly StageName[] = [
  'forward',
  'metric',
  'loss',
  'backward',
  'train',
  'swa',
];
