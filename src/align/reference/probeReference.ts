import { getDotPath, safeParse } from 'valibot';
import { InputError } from '../../errors.ts';
import { printable } from '../../io/names.ts';
import type { OpenSafetensors } from '../../io/safetensors/safetensors.ts';
import { sizeOf } from '../../tensor/shape.ts';
import { type Tensor, tensor, toFloat32 } from '../../tensor/tensor.ts';
import { nearestNames } from './nearestNames.ts';
import { type Probe, type ProbeManifest, probeManifestSchema } from './probe.ts';
import { type RecordedTensor, recorded } from './recorded.ts';

/** A reference of any network: what PyTorch computed, tensor by tensor. */
export interface ProbeReference {
  readonly where: string;
  readonly manifest: ProbeManifest;
  /** In the order in which they are computed. */
  readonly probes: readonly Probe[];
  /** Throws InputError with the nearest names where there is none called so. */
  readonly probe: (name: string) => Probe;
  /** What a probe is judged by: PyTorch's float32 and float64. Undefined for integers and what is given. */
  readonly record: (probe: Probe) => RecordedTensor | undefined;
  /** As PyTorch computed it, whole. Throws InputError where only a sample was kept. */
  readonly whole: (probe: Probe) => Tensor;
}

const remedy = 'record it again with recorder.py, or copy it again';

/** A manifest of format 2 from its text. Throws InputError naming `where` and what is wrong. */
export function parseProbeManifest(text: string, where: string): ProbeManifest {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw new InputError('is not JSON', { where, fix: remedy });
  }
  if ((json as { format?: unknown } | null)?.format === 'swa-align-reference/1') {
    throw new InputError('is a reference of one of our own networks, for stages', {
      where,
      fix: 'judge it by swa-align diff --reference, or record your network by recorder.py',
    });
  }
  const parsed = safeParse(probeManifestSchema, json, { abortEarly: true });
  if (parsed.success) return parsed.output;
  const [issue] = parsed.issues;
  const { received, expected, message } = issue;
  const what =
    expected === null ? printable(message) : `${printable(received)} is not ${printable(expected)}`;
  throw new InputError(`${printable(getDotPath(issue) ?? 'manifest')}: ${what}`, {
    where,
    fix: remedy,
  });
}

function checkNames(probes: readonly Probe[], where: string): void {
  const known = new Set<string>();
  for (const { name, from = [] } of probes) {
    if (known.has(name)) {
      throw new InputError(`names the probe ${printable(name)} twice`, { where, fix: remedy });
    }
    const later = from.find((source) => !known.has(source));
    if (later !== undefined) {
      throw new InputError(
        `says that ${printable(name)} is computed from ${printable(later)}, which does not come before it`,
        { where, fix: remedy },
      );
    }
    known.add(name);
  }
}

/** In float32 where PyTorch computed in a smaller type: it holds every value of that. */
const asFloat32 = (t: Tensor): Tensor =>
  t.dtype === 'float32' && t.stored === undefined ? t : tensor('float32', t.shape, toFloat32(t));

/**
 * A reference from its manifest and the file of its tensors, whose digest was checked. A tensor is read when it is
 * asked for, and not kept. Throws InputError where the two do not fit each other.
 */
export function probeReference(
  manifest: ProbeManifest,
  tensors: OpenSafetensors,
  where: string,
): ProbeReference {
  const { probes } = manifest;
  checkNames(probes, where);
  const byName = new Map(probes.map((probe) => [probe.name, probe]));
  for (const probe of probes) checkHeld(probe, tensors, where);
  return {
    where,
    manifest,
    probes,
    probe(name) {
      const found = byName.get(name);
      if (found !== undefined) return found;
      const left = manifest.left_out[name];
      const near = nearestNames(name, [...byName.keys()]);
      throw new InputError(
        `holds no probe ${printable(name)}${left === undefined ? '' : `: it was left out, ${left}`}`,
        { where, fix: near.length === 0 ? remedy : `the nearest are ${near.join(', ')}` },
      );
    },
    record(probe) {
      const found = recorded(tensors, probe.name);
      return found === undefined ? undefined : { ...found, pytorch: asFloat32(found.pytorch) };
    },
    whole({ name }) {
      const found = tensors.get(`f32/${name}`);
      if (found !== undefined) return found;
      throw new InputError(`holds only a sample of ${printable(name)}`, {
        where,
        fix: 'inputs, draws and initial weights are whole',
      });
    },
  };
}

/** A probe's arrays are there and fill its shape. */
function checkHeld(probe: Probe, { entries }: OpenSafetensors, where: string): void {
  const { name, shape } = probe;
  const size = sizeOf(shape);
  const whole = entries.get(`f32/${name}`);
  const held = whole ?? entries.get(`f32/${name}#sample`);
  const elements = held === undefined ? 0 : sizeOf(held.shape);
  const fits = held !== undefined && (held === whole ? elements === size : elements < size);
  if (!fits) {
    throw new InputError(
      `${printable(name)} of [${shape.join(', ')}] ${held === undefined ? 'has no array' : `has an array of ${elements} elements`}`,
      { where, fix: remedy },
    );
  }
}
