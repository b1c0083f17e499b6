import fc from 'fast-check';
import { check, type Verdict } from '../../align/judge/verdict.ts';
import type { ProbeKind } from '../../align/reference/probe.ts';
import { type Shape, sameShape } from '../../tensor/shape.ts';
import { tensor } from '../../tensor/tensor.ts';
import { diagnosed } from '../diagnose.ts';
import type { Evidence, Held } from '../suspect.ts';

/** A tensor of a small reference, and what our side made of it where that is another. */
export interface Planted {
  readonly name: string;
  readonly shape: Shape;
  readonly kind: ProbeKind;
  readonly truth: ArrayLike<number>;
  readonly ours?: ArrayLike<number>;
  readonly from?: readonly string[];
  readonly what?: string;
  readonly axes?: string;
}

const heldOf = ({ name, shape, kind, truth, what, axes }: Planted): Held => {
  const record = tensor('float64', shape, Float64Array.from(truth));
  return {
    name,
    shape,
    kind,
    ...(what && { what }),
    ...(axes && { axes }),
    record: { truth: record, pytorch: record },
  };
};

const limit = 1e-6;

/** What the table says of each tensor of which `ours` is given; in float32, judged to 1e-6. */
export function told(
  planted: readonly Planted[],
  more: Pick<Evidence, 'optimizer' | 'batch' | 'ranks'> = {},
): Verdict[] {
  const held = new Map(planted.map((one) => [one.name, heldOf(one)]));
  const ours = new Map(
    planted.map((one) => [
      one.name,
      tensor('float32', one.shape, Float32Array.from(one.ours ?? one.truth)),
    ]),
  );
  const from = new Map(planted.map(({ name, from = [] }) => [name, from]));
  const evidence: Evidence = {
    ...more,
    held: (name) => held.get(name),
    all: () => [...held.values()],
    alike: (shape) => [...held.values()].filter((one) => sameShape(one.shape, shape)),
    ours: (name) => ours.get(name),
    from: (name) => from.get(name) ?? [],
  };
  const failed = planted
    .filter((one) => one.ours !== undefined)
    .map(({ name }): Verdict => ({ name, checks: [check('relative l2', 1, limit)] }));
  return diagnosed(
    failed,
    ({ name }) => ({ ...held.get(name)!, ours: ours.get(name)!, limit }),
    evidence,
  );
}

/** Of the only tensor of which `ours` is given: what is said, and undefined where nothing explains it. */
export const causeOf = (
  planted: readonly Planted[],
  more?: Parameters<typeof told>[1],
): string | undefined => told(planted, more)[0].cause?.says;

/** Numbers of a bell curve, float32 as a recording's: so many, `spread` wide. */
export const bell = (count: number, spread = 1): fc.Arbitrary<Float32Array> =>
  fc.noShrink(fc.noBias(fc.integer({ min: 1, max: 2 ** 31 - 1 }))).map((seed) => {
    let state = seed;
    const uniform = (): number => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return (state + 0.5) / 2 ** 32;
    };
    return Float32Array.from({ length: count }, () => {
      const [u, v] = [uniform(), uniform()];
      return spread * Math.sqrt(-2 * Math.log(u)) * Math.cos(2 * Math.PI * v);
    });
  });

/** Every element off by a part of itself that varies smoothly: rounding of no kind, and no known mistake. */
export const smoothly = (values: ArrayLike<number>, size: number, phase: number): Float64Array =>
  Float64Array.from(values, (x, i) => x * (1 + size * Math.sin(phase + i / 7)));
