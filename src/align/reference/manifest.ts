import { z } from 'zod';

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const digests = z.record(z.string(), sha256);
const noise = z.record(z.string(), z.unknown()).optional();
/** PyTorch's float32 to its float64 over a group of tensors, relative: the largest. */
const spread = z.object({ worst: z.number() }).partial().loose();
/** How many of the fake images a stage sees; all of them when it does not say. */
const fakeImages = z.object({ images: z.int().positive().optional() }).loose().optional();
/** Counts that are allocated by: far above any reference, far below what would not fit into memory. */
const count = z.int().positive().max(10_000);
const sgd = z.object({
  iterations: count,
  lr: z.number(),
  momentum: z.number(),
  weight_decay: z.number(),
  dropout: z.number(),
});

/** What a batch was. */
const batchDigests = z.object({ labels: sha256, images: sha256 });
/** What one training step was fed; a mask for each dropout layer. */
const stepDigests = batchDigests.extend({ mask0: sha256.optional(), mask1: sha256.optional() });
/** The same for height and width, or one each. */
const sides = z.union([z.int(), z.tuple([z.int(), z.int()])]);

const sgdStep = z.object({
  kind: z.literal('sgd'),
  lr: z.number(),
  momentum: z.number(),
  weight_decay: z.number(),
  nesterov: z.boolean(),
});
const adamStep = z.object({
  kind: z.enum(['adam', 'adamw']),
  lr: z.number(),
  betas: z.tuple([z.number(), z.number()]),
  eps: z.number(),
  weight_decay: z.number(),
});

/** A run of a small network, by the names of the SWA authors' train.py. */
const smallRun = z.object({
  seed: z.int(),
  narrow: z.int().positive(),
  /** The model's own where it does not say. */
  depth: z.int().positive().optional(),
  dataset: z.enum(['cifar100', 'synthetic']),
  images: z.int().positive(),
  test_images: z.int().positive(),
  batch: z.int().positive(),
  epochs: z.int().positive(),
  eval_freq: z.int().positive(),
  swa_start: z.int().positive(),
  swa_c_epochs: z.int().positive(),
  lr_init: z.number(),
  swa_lr: z.number(),
  momentum: z.number(),
  weight_decay: z.number(),
  workers: z.int(),
  dropout: z.number(),
});

/** One run among several ranks. */
const runAmongRanks = z
  .object({
    settings: smallRun.loose(),
    /** Rank 0's, with which all begin. */
    weights: z.object({ seed: z.int(), sha256: digests }),
    /** Of each rank, what it was fed in each step. */
    steps: z.array(z.array(stepDigests.extend({ order: sha256 }))),
    /** The batches of one pass over the test images, rank 0's. */
    evaluation: z.array(batchDigests),
    /** The images of the pass that refreshed batch norm, rank 0's. */
    refresh: z.array(sha256),
    noise: z.object({ tensors: z.number(), losses: z.number(), steps: z.array(z.number()) }),
  })
  .loose();

/** The manifest that `fixtures/export_reference.py` writes; see docs/reference-format.md. */
export const manifestSchema = z.object({
  format: z.literal('swa-align-reference/1'),
  model: z.string(),
  classes: count,
  torch: z.object({ version: z.string(), cpu_capability: z.string(), threads: z.int() }).loose(),
  numpy: z.string(),
  /** PyTorch's after manual_seed. */
  weights: z.object({
    seed: z.int(),
    sha256: digests,
    /** Which file holds some of each. */
    file: z.string().optional(),
  }),
  inputs: digests,
  files: digests,
  /** Stages that were not recorded because what there was would prove nothing, and why. */
  left_out: z.record(z.string(), z.string()).optional(),
  stages: z.object({
    ops: z
      .object({
        file: z.string(),
        settings: z.record(
          z.string(),
          z
            .object({
              size: sides,
              kernel: sides,
              stride: sides,
              padding: sides,
              p: z.number(),
            })
            .partial(),
        ),
        /** Some steps of torch.optim's optimizers, by torch.optim's names for their settings. */
        optimizers: z
          .record(z.string(), z.discriminatedUnion('kind', [sgdStep, adamStep]))
          .optional(),
        noise,
      })
      .loose()
      .optional(),
    forward: z
      .object({
        file: z.string(),
        settings: fakeImages,
        noise: z.object({ layers: spread }).partial().loose().optional(),
      })
      .loose()
      .optional(),
    loss: z.object({ file: z.string(), settings: fakeImages, noise }).loose().optional(),
    metric: z
      .object({
        file: z.string(),
        images: z.int().positive(),
        settings: z.object({ batch: z.int() }).loose(),
        /** What is evaluated, batch by batch. */
        batches: z.array(z.object({ labels: sha256, images: sha256 })).optional(),
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
        steps: z.array(stepDigests.extend({ order: sha256 })),
        noise: z.object({ floor: z.array(z.number()) }).loose(),
      })
      .loose()
      .optional(),
    trace: z
      .object({
        file: z.string(),
        settings: z
          .object({
            batch: z.string(),
            iteration: z.literal(0),
            weight_gradients: z.string(),
          })
          .loose(),
        noise: z
          .object({ added: z.record(z.string(), z.number()) })
          .partial()
          .loose()
          .optional(),
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
              z.object({ epochs: count, swa: z.boolean(), swa_start: z.int().optional() }),
            ),
            snapshot_seeds: z.array(z.int()),
            seed: z.int(),
            images: z.int(),
            batch: z.int(),
          })
          .partial()
          .loose(),
        /** Of the digests, one after the other, of all averaged weights in PyTorch's float32. */
        average_sha256: sha256.optional(),
        noise,
      })
      .loose()
      .optional(),
    epochs: z
      .object({
        file: z.string(),
        settings: smallRun
          .extend({
            /** After how many steps the second run is stopped, to be resumed. */
            stop_after: z.int().positive(),
            /** What the command `eval` is given. */
            eval_batch: z.int().positive(),
            /** How images are normalised, which random transform is drawn first, and how wide the border is. */
            mean: z.array(z.number()).optional(),
            std: z.array(z.number()).optional(),
            first: z.enum(['flip', 'crop']).optional(),
            padding: z.int().optional(),
          })
          .loose(),
        weights: z.object({ seed: z.int(), sha256: digests }),
        steps: z.array(stepDigests),
        /** The batches of one pass over the test images in training. */
        evaluation: z.array(batchDigests),
        /** The same in batches of `eval_batch`. */
        eval: z.array(batchDigests),
        /** The batches of each pass that refreshed batch norm, in turn. */
        refreshes: z.array(z.array(sha256)),
        /** The generator's state after each epoch. */
        generators: z.array(sha256),
        noise: z.object({
          tensors: z.array(z.number()),
          losses: z.array(z.number()),
          steps: z.array(z.number()),
        }),
      })
      .loose()
      .optional(),
    ddp: z
      .object({
        file: z.string(),
        /** Of the gradients of how many steps, and how much of each: whole, or so many of its elements. */
        settings: z.object({ steps: count, whole: count, sample: count }).loose(),
        /** By their number. */
        ranks: z.record(z.string().regex(/^[1-9]\d?$/), runAmongRanks),
      })
      .loose()
      .optional(),
  }),
});

/** What a run of a small network was told. */
export type SmallRunSettings = z.infer<typeof smallRun>;

export type Manifest = z.infer<typeof manifestSchema>;

export type SectionName = keyof Manifest['stages'];

/** What is judged by itself; the trace tells the training step of *backward* layer by layer. */
export type StageName = Exclude<SectionName, 'trace'>;

/** In the order they build on each other. */
export const stageNames: readonly StageName[] = [
  'ops',
  'forward',
  'metric',
  'loss',
  'backward',
  'train',
  'swa',
  'epochs',
  'ddp',
];
