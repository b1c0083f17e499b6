// The small one: programs in a browser carry it.
import * as z from 'zod/mini';

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
const dtype = z.string().check(z.regex(/^\w+$/));
const count = z.int().check(z.nonnegative());
const text = z.optional(z.string());

const probeSchema = z.object({
  name: z.string().check(z.minLength(1)),
  kind: z.enum(probeKinds),
  pass: count,
  shape: z.array(count),
  dtype,
  layer: text,
  what: text,
  axes: text,
  from: z.optional(z.array(z.string())),
  scale: z.optional(z.object({ value: z.number().check(z.positive()), what: z.string() })),
});

/** One tensor of a reference, as data. The fields are explained in docs/port-reference.md. */
export type Probe = z.infer<typeof probeSchema>;

const passSchema = z.object({
  kind: z.enum(['step', 'evaluation']),
  optimizers: z.optional(
    z.array(z.object({ kind: z.string(), groups: z.array(z.looseObject({})) })),
  ),
});

/** The manifest that `recorder.py` writes. */
export const probeManifestSchema = z.object({
  format: z.literal('swa-align-reference/2'),
  model: z.string(),
  torch: z.looseObject({ version: z.string() }),
  tensors: z.object({ file: z.string().check(z.regex(/^[\w.-]+$/)), sha256: z.string() }),
  passes: z.array(passSchema).check(z.minLength(1)),
  orders: z._default(z.array(z.string()), []),
  probes: z.array(probeSchema).check(z.minLength(1)),
  left_out: z._default(z.record(z.string(), z.string()), {}),
  notes: z._default(z.array(z.string()), []),
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
