import type { JudgeOptions } from '../align/probes/judgeProbes.ts';
import { precisions } from '../align/probes/rule.ts';
import type { ProbeReference } from '../align/reference/probeReference.ts';
import { UsageError } from '../errors.ts';
import { printable } from '../io/names.ts';
import { sizeOf } from '../tensor/shape.ts';
import { bytesPerElement, type Tensor, type TensorMap } from '../tensor/tensor.ts';
import { Recorder } from './recorder.ts';
import { type TensorLike, tensorOf } from './tensorLike.ts';

/* What programs without types hand to the judge is checked here, once. */

/** What a port recorded: a Recorder, or tensors by the names of probes, as a Map or an object. */
export type Recording =
  | Recorder
  | ReadonlyMap<string, TensorLike>
  | Readonly<Record<string, TensorLike>>;

function isTensor(value: TensorLike): value is Tensor {
  const { dtype, shape, data } = value as Partial<Tensor>;
  return (
    dtype !== undefined &&
    dtype in bytesPerElement &&
    ArrayBuffer.isView(data) &&
    Array.isArray(shape) &&
    sizeOf(shape) === data.length
  );
}

/** A recording's tensors by name. Throws UsageError where it is none, or one of them is not a tensor. */
export function tensorsOf(recording: Recording): TensorMap {
  if (recording instanceof Recorder) return recording.tensors;
  if (recording instanceof Promise)
    throw new UsageError('the recording is a promise', { fix: 'await it first' });
  if (typeof recording !== 'object' || recording === null || Array.isArray(recording)) {
    throw new UsageError(`${printable(String(recording))} is not a recording`, {
      fix: 'give a Recorder, or tensors by name; readRecording(path).tensors reads a file',
    });
  }
  const entries: [string, TensorLike][] = [
    ...(recording instanceof Map ? recording : Object.entries(recording)),
  ];
  return new Map(
    entries.map(([name, value]) => [
      name,
      isTensor(value) ? value : tensorOf(value, printable(name)),
    ]),
  );
}

/** Throws UsageError where something else stands in a reference's place. */
export function checkReference(reference: ProbeReference): void {
  const probes: unknown = (reference as Partial<ProbeReference> | null | undefined)?.probes;
  if (Array.isArray(probes)) return;
  const given = typeof reference === 'string' ? `"${printable(reference)}"` : typeof reference;
  throw new UsageError(`${given} is not a reference`, {
    fix: 'give what openReference(folder), fetchReference(url) or referenceFromFiles(files) gives',
  });
}

const isList = (value: unknown): boolean =>
  Array.isArray(value) && value.every((item) => typeof item === 'string');

/** Of each option: whether a value is one, and what is. */
const options: {
  readonly [K in keyof Required<JudgeOptions>]: readonly [(value: unknown) => boolean, string];
} = {
  ratio: [
    (x) => typeof x === 'number' && x > 0 && x < Number.POSITIVE_INFINITY,
    'a number above 0',
  ],
  precision: [
    (x) => typeof x === 'string' && Object.hasOwn(precisions, x),
    Object.keys(precisions).join(', '),
  ],
  only: [isList, 'a list of patterns'],
  except: [isList, 'a list of patterns'],
  partial: [(x) => typeof x === 'boolean', 'true or false'],
};

/** Throws UsageError for an option that there is none of, and for a value that it cannot have. */
export function checkOptions(given: JudgeOptions): void {
  for (const [name, value] of Object.entries(given)) {
    const [fits, what] =
      (Object.hasOwn(options, name) && options[name as keyof JudgeOptions]) || [];
    if (fits === undefined || what === undefined) {
      throw new UsageError(`there is no option ${printable(name)}`, {
        fix: `there are ${Object.keys(options).join(', ')}`,
      });
    }
    if (value !== undefined && !fits(value)) {
      throw new UsageError(`${name} cannot be ${printable(String(value))}`, {
        fix: `give ${what}`,
      });
    }
  }
}
