import { z } from 'zod';

/** What a probe of a recording is; `input`, `draw` and what a run began with are given to a port. */
export const probeKinds = [
  'input',
  'draw',
  'output',
  'prediction',
  'loss',
  'output gradient',
  'weight gradient',
  'weight',
  'buffer',
  'optimizer state',
] as const;

export type ProbeKind = (typeof probeKinds)[number];

/** PyTorch's names of the types that a probe may have. */
const dtype = z.string().regex(/^\w+$/);

const probeSchema = z.object({
  name: z.string().min(1),
  kind: z.enum(probeKinds),
  pass: z.int().nonnegative(),
  shape: z.array(z.int().nonnegative()),
  dtype,
  layer: z.string().optional(),
  what: z.string().optional(),
  axes: z.string().optional(),
  from: z.array(z.string()).optional(),
  scale: z.object({ value: z.number().positive(), what: z.string() }).optional(),
  near: z.string().optional(),
});

/** One tensor of a reference, as data. The fields are explained in docs/port-reference.md. */
export type Probe = z.infer<typeof probeSchema>;

const passSchema = z.object({
  kind: z.enum(['step', 'evaluation']),
  optimizers: z
    .array(z.object({ kind: z.string(), groups: z.array(z.looseObject({})) }))
    .optional(),
});

/** The manifest that `recorder.py` writes. */
export const probeManifestSchema = z.object({
  format: z.literal('swa-align-reference/2'),
  model: z.string(),
  torch: z.looseObject({ version: z.string() }),
  tensors: z.object({ file: z.string().regex(/^[\w.-]+$/), sha256: z.string() }),
  passes: z.array(passSchema).min(1),
  orders: z.array(z.string()).default([]),
  probes: z.array(probeSchema).min(1),
  left_out: z.record(z.string(), z.string()).default({}),
  notes: z.array(z.string()).default([]),
});

export type ProbeManifest = z.infer<typeof probeManifestSchema>;

/** Where what a run began with stands. */
const initial = 'initial/';

/** What a port is fed with: it need not record it. */
export const isGiven = ({ kind, name }: Probe): boolean =>
  kind === 'input' || kind === 'draw' || name.startsWith(initial);

/** The probe of a parameter or buffer before the first pass. */
export const initialName = (name: string): string =>
  name.startsWith(initial) ? name : initial + name;

/** A name in pass `pass`: those after the first have `step1/`, `step2/` … before it. */
export const inPass = (pass: number, name: string): string =>
  pass === 0 ? name : `step${pass}/${name}`;
