// The small one: programs in a browser carry it.
import * as v from 'valibot';

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
const dtype = v.pipe(v.string(), v.regex(/^\w+$/, 'is not a name of a type'));
const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const text = v.exactOptional(v.string());

const probeSchema = v.object({
  name: v.pipe(v.string(), v.minLength(1)),
  kind: v.picklist(probeKinds),
  pass: count,
  shape: v.array(count),
  dtype,
  layer: text,
  what: text,
  axes: text,
  from: v.exactOptional(v.array(v.string())),
  scale: v.exactOptional(
    v.object({ value: v.pipe(v.number(), v.finite(), v.gtValue(0)), what: v.string() }),
  ),
});

/** One tensor of a reference, as data. The fields are explained in docs/port-reference.md. */
export type Probe = v.InferOutput<typeof probeSchema>;

const passSchema = v.object({
  kind: v.picklist(['step', 'evaluation']),
  optimizers: v.exactOptional(
    v.array(v.object({ kind: v.string(), groups: v.array(v.looseObject({})) })),
  ),
});

/** The manifest that `recorder.py` writes. */
export const probeManifestSchema = v.object({
  format: v.literal('swa-align-reference/2'),
  model: v.string(),
  torch: v.looseObject({ version: v.string() }),
  tensors: v.object({
    file: v.pipe(v.string(), v.regex(/^[\w.-]+$/, 'is not a plain file name')),
    sha256: v.string(),
  }),
  passes: v.pipe(v.array(passSchema), v.minLength(1)),
  orders: v.optional(v.array(v.string()), []),
  probes: v.pipe(v.array(probeSchema), v.minLength(1)),
  left_out: v.optional(v.record(v.string(), v.string()), {}),
  notes: v.optional(v.array(v.string()), []),
});

export type ProbeManifest = v.InferOutput<typeof probeManifestSchema>;

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
