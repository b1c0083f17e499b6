import { initialName, inPass, isGiven, type Probe } from '../align/reference/probe.ts';
import type { ProbeReference } from '../align/reference/probeReference.ts';
import { UsageError } from '../errors.ts';
import { printable } from '../io/names.ts';
import {
  bytesPerElement,
  type DataOf,
  type DType,
  elementAt,
  type Tensor,
  zeros,
} from '../tensor/tensor.ts';
import { fromPyTorch } from './layout.ts';

/** How a port wants what it is fed with. */
export interface GivenOptions<D extends DType = DType> {
  /** Order of its axes: `NHWC`, `HWIO`, `in,out`, `NCL->NLC`. PyTorch's where it is not said. */
  readonly layout?: string;
  /** Type of its elements, for engines that lack PyTorch's: `int32` for int64. */
  readonly dtype?: D;
  /** Of which pass; the first, 0, where it is not said. */
  readonly pass?: number;
}

/** One tensor that a port is to compute. */
export interface ReferenceProbe extends Probe {
  readonly reference: ProbeReference;
}

/** What PyTorch computed, and what a port is fed with to compute it too. */
export interface PortReference extends ProbeReference {
  readonly probe: (name: string) => ReferenceProbe;
  /** An item of a batch; `input` where a batch is one tensor. */
  readonly input: <D extends DType>(name?: string, options?: GivenOptions<D>) => Tensor<D>;
  /** A parameter or buffer before the first pass. */
  readonly weight: <D extends DType>(name: string, options?: GivenOptions<D>) => Tensor<D>;
  /** All of them, by PyTorch's names. */
  readonly weights: () => ReadonlyMap<string, Tensor>;
  /** A random draw: a dropout's mask, 1 where an element is kept. */
  readonly draw: <D extends DType>(name: string, options?: GivenOptions<D>) => Tensor<D>;
}

/** The same numbers in another type. Throws UsageError for a number that it cannot hold. */
function asType<D extends DType>(t: Tensor, dtype: D, where: string): Tensor<D> {
  if (t.dtype === dtype) return t as Tensor<D>;
  if (dtype === 'float16') {
    throw new UsageError('is not available as float16', { where, fix: 'ask for float32' });
  }
  if (!Object.hasOwn(bytesPerElement, dtype)) {
    throw new UsageError(`${String(dtype)} is not a type of element`, {
      where,
      fix: `ask for ${Object.keys(bytesPerElement).join(', ')}`,
    });
  }
  const out = zeros(dtype, t.shape);
  const data = out.data as DataOf[Exclude<DType, 'float16'>];
  const big = dtype === 'int64' || dtype === 'uint64';
  for (let i = 0; i < data.length; i++) {
    const value = elementAt(t, i);
    const whole = Number.isInteger(Number(value));
    data[i] = big && whole ? BigInt(value) : Number(value);
    if (Number(data[i]) !== Number(value) && dtype !== 'float32') {
      throw new UsageError(`element ${i}, ${value}, is not of type ${dtype}`, {
        where,
        fix: 'ask for a wider type',
      });
    }
  }
  return out;
}

/** In memory of its own: a port may train its weights in place. */
const owned = (t: Tensor): Tensor => ({ ...t, data: t.data.slice() }) as Tensor;

export function portReference(reference: ProbeReference): PortReference {
  const given = <D extends DType>(
    name: string,
    { layout, dtype, pass = 0 }: GivenOptions<D> = {},
  ): Tensor<D> => {
    const full = name.startsWith('initial/') ? name : inPass(pass, name);
    const probe = reference.probe(full);
    if (!isGiven(probe)) {
      throw new UsageError('is computed by the port, not given to it', {
        where: printable(full),
        fix: 'only inputs, draws and initial weights are given',
      });
    }
    const whole = owned(reference.whole(probe));
    const laid = layout === undefined ? whole : fromPyTorch(whole, layout, probe.axes);
    return asType(laid, (dtype ?? laid.dtype) as D, printable(full));
  };
  return {
    ...reference,
    probe: (name) => ({ ...reference.probe(name), reference }),
    input: (name = 'input', options) => given(name, options),
    weight: (name, options) => given(initialName(name), options),
    draw: given,
    weights: () =>
      new Map(
        reference.probes
          .filter(({ name, kind }) => name.startsWith('initial/') && kind !== 'draw')
          .map((probe) => [probe.name.slice('initial/'.length), owned(reference.whole(probe))]),
      ),
  };
}
