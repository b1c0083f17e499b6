// The small one: programs in a browser carry it.
import * as v from 'valibot';
import type { Shape } from '../../tensor/shape.ts';

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

/** One tensor of a reference, as data. */
export interface Probe {
  readonly name: string;
  readonly kind: ProbeKind;
  /** Which of the reference's passes it belongs to. */
  readonly pass: number;
  readonly shape: Shape;
  /** PyTorch's name of its type: `float32`. */
  readonly dtype: string;
  /** The path of the layer that computes it. */
  readonly layer?: string;
  /** What that layer is, as PyTorch prints it. */
  readonly what?: string;
  /** Names of its axes, one letter each: `NCHW`. */
  readonly axes?: string;
  /** Probes that it is computed from. */
  readonly from?: readonly string[];
  /** What an error is divided by, where the tensor is zero but for rounding. */
  readonly scale?: { readonly value: number; readonly what: string };
}

const probeSchema: v.GenericSchema<unknown, Probe> = v.object({
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

/** An optimizer of a pass: its class in torch.optim, and the settings of each group of parameters. */
export interface RecordedOptimizer {
  readonly kind: string;
  readonly groups: readonly Readonly<Record<string, unknown>>[];
}

/** One run of the network: a step of training, or an evaluation. */
export interface RecordedPass {
  readonly kind: 'step' | 'evaluation';
  readonly optimizers?: readonly RecordedOptimizer[];
}

const passSchema: v.GenericSchema<unknown, RecordedPass> = v.object({
  kind: v.picklist(['step', 'evaluation']),
  optimizers: v.exactOptional(
    v.array(v.object({ kind: v.string(), groups: v.array(v.looseObject({})) })),
  ),
});

/** The manifest that `recorder.py` writes. docs/port-reference.md explains all fields. */
export interface ProbeManifest {
  readonly format: 'swa-align-reference/2';
  /** The class of the network. */
  readonly model: string;
  readonly torch: { readonly version: string; readonly [more: string]: unknown };
  /** The file of the tensors. */
  readonly tensors: { readonly file: string; readonly sha256: string };
  /** In the order in which they were recorded. */
  readonly passes: readonly RecordedPass[];
  /** Other orders of summation that were run. */
  readonly orders: readonly string[];
  /** In the order in which they are computed. */
  readonly probes: readonly Probe[];
  /** Why tensors are no probes, by name. */
  readonly left_out: Readonly<Record<string, string>>;
  readonly notes: readonly string[];
}

export const probeManifestSchema: v.GenericSchema<unknown, ProbeManifest> = v.object({
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
