import { elementAt, elementType, type Tensor, tensor, zeros } from '../../tensor/tensor.ts';
import type { Rule } from '../judge/expectation.ts';
import { otherShape } from '../judge/incomparable.ts';
import type { Probe } from '../reference/probe.ts';
import type { RuleOptions } from './rule.ts';

const wide: ReadonlySet<string> = new Set(['float32', 'float64']);
const narrow: ReadonlySet<string> = new Set(['float16', 'bfloat16']);

/** Why our tensor of another type than the probe's cannot be judged, or undefined. */
function wrongType(found: Tensor, probe: Probe, { precision }: RuleOptions): string | undefined {
  const [ours, theirs] = [elementType(found), probe.dtype];
  const floats = wide.has(theirs) || narrow.has(theirs);
  if (ours === theirs || (floats && wide.has(ours))) return undefined;
  if (!floats && !wide.has(ours) && !narrow.has(ours)) return undefined;
  // JavaScript's numbers: a plain list does not say that it is of integers.
  if (!floats && ours === 'float64') {
    const { data } = found as Tensor<'float64'>;
    const at = data.findIndex((x) => !Number.isSafeInteger(x));
    return at < 0 ? undefined : `element ${at} is ${data[at]}, PyTorch's are ${theirs}`;
  }
  const coarse = narrow.has(ours) && floats ? `; allow it by --precision ${ours}` : '';
  return narrow.has(ours) && floats && ours === precision
    ? undefined
    : `dtype ${ours} against ${theirs}${coarse}`;
}

/** Whole numbers in another type: equal numbers are equal, whatever they are stored in. */
function asType(found: Tensor, dtype: Tensor['dtype']): Tensor {
  const floats = (t: string): boolean => t !== 'float64' && (wide.has(t) || narrow.has(t));
  if (found.dtype === dtype || floats(found.dtype) || floats(dtype)) return found;
  if (dtype === 'float64') return found;
  const out = zeros(dtype, found.shape);
  const big = dtype === 'int64' || dtype === 'uint64';
  for (let i = 0; i < found.data.length; i++) {
    const value = elementAt(found, i);
    out.data[i] = big ? BigInt(value) : Number(value);
    // A value that does not fit stays what it was, and so differs.
    if (Number(out.data[i]) !== Number(value)) return found;
  }
  return out;
}

/** Our tensor as the probe has it, or why it cannot be: another shape or type. One number is one number. */
export function prepared(
  found: Tensor,
  probe: Probe,
  rule: Rule,
  options: RuleOptions,
): Tensor | string {
  const one = found.data.length === 1 && probe.shape.reduce((n, d) => n * d, 1) === 1;
  const shape = one ? undefined : otherShape(found.shape, probe.shape);
  if (shape !== undefined) return shape;
  const wrong = wrongType(found, probe, options);
  if (wrong !== undefined) return wrong;
  const shaped = one ? ({ ...found, shape: probe.shape } as Tensor) : found;
  if (rule.kind === 'equality') return sameKind(shaped, rule.to);
  return narrow.has(elementType(shaped)) ? widened(shaped) : shaped;
}

const widened = (t: Tensor): Tensor =>
  tensor(
    'float32',
    t.shape,
    Float32Array.from({ length: t.data.length }, (_, i) => Number(elementAt(t, i))),
  );

const sameKind = (found: Tensor, to: Tensor): Tensor => {
  if (to.dtype === 'float32' && found.dtype === 'float64')
    return tensor('float32', found.shape, Float32Array.from(found.data));
  return asType(found, to.dtype);
};
