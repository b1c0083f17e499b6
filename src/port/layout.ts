import { UsageError } from '../errors.ts';
import { type Shape, sizeOf } from '../tensor/shape.ts';
import { type Tensor, zeros } from '../tensor/tensor.ts';

/** PyTorch's order of axes, by the letters they are called by; the first that has the same letters is meant. */
const pytorchOrders: readonly (readonly string[])[] = [
  ...['NCHW', 'NCDHW', 'OIHW', 'OIDHW', 'NC', 'OI', 'CHW', 'IMHW'].map((axes) => [...axes]),
  ['out', 'in'],
];

/** A depthwise kernel as TensorFlow has it, `HWIM`, is PyTorch's [I·M, 1, H, W]. */
const depthwise = 'IMHW';

/** `NHWC` letter by letter, `in,out` word by word. */
const axesOf = (text: string): string[] =>
  text.includes(',') ? text.split(',').map((axis) => axis.trim()) : [...text];

/** An axis of one element, which the other side need not have: `NC->NC11`. */
const single = '1';

const named = (axes: readonly string[]): string[] => axes.filter((axis) => axis !== single);

const sameAxes = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === b.length && a.every((axis) => b.includes(axis));

interface Order {
  readonly from: readonly string[];
  readonly to: readonly string[];
}

const wrong = (layout: string, what: string): UsageError =>
  new UsageError(what, {
    where: `layout "${layout}"`,
    fix: 'write NHWC, HWIO, "in,out" or "NLC->NCL"; 1 is an axis of one element: "NC->NC11"',
  });

/**
 * Which axes a tensor has and which PyTorch's has: `NHWC`, `HWIO`, `in,out`, or both as `NLC->NCL`. `known` is the
 * order in PyTorch where a reference says it.
 */
export function orderOf(layout: string, known?: string): Order {
  const [first, second, third] = layout.split('->').map((text) => axesOf(text.trim()));
  if (third !== undefined) throw wrong(layout, 'has more than two sides');
  const letters = named(first);
  if (new Set(letters).size !== letters.length) throw wrong(layout, 'names an axis twice');
  if (second !== undefined) {
    if (!sameAxes(letters, named(second)))
      throw wrong(layout, 'does not have the same axes on both sides');
    return { from: first, to: second };
  }
  const candidates = [...(known === undefined ? [] : [axesOf(known)]), ...pytorchOrders];
  const to = candidates.find((axes) => sameAxes(first, axes));
  if (to === undefined) throw wrong(layout, 'has no known order in PyTorch');
  return { from: first, to };
}

/** The tensor with its axes in the order `axes`, in new memory. */
export function permuted(t: Tensor, axes: readonly number[]): Tensor {
  const shape = axes.map((axis) => t.shape[axis]);
  if (axes.every((axis, i) => axis === i)) return t;
  const strides = t.shape.map((_, axis) => sizeOf(t.shape.slice(axis + 1)));
  const steps = axes.map((axis) => strides[axis]);
  const out = zeros(t.dtype, shape);
  const [from, to] = [t.data, out.data];
  const index = shape.map(() => 0);
  for (let i = 0, at = 0; i < to.length; i++) {
    to[i] = from[at];
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      at += steps[axis];
      if (++index[axis] < shape[axis]) break;
      at -= steps[axis] * shape[axis];
      index[axis] = 0;
    }
  }
  return { ...t, shape, data: to } as Tensor;
}

const reshaped = (t: Tensor, shape: Shape): Tensor => ({ ...t, shape }) as Tensor;

/** A tensor of axes `from` as one of axes `to`. Throws UsageError where the tensor does not have those. */
function moved(t: Tensor, { from, to }: Order, layout: string): Tensor {
  const rank = t.shape.length;
  if (from.length !== rank)
    throw wrong(layout, `names ${from.length} axes of a tensor that has ${rank}`);
  const longer = from.findIndex((axis, i) => axis === single && t.shape[i] !== 1);
  if (longer >= 0)
    throw wrong(layout, `says that axis ${longer} of [${t.shape.join(', ')}] has one element`);
  const letters = named(from);
  const squeezed = t.shape.filter((_, i) => from[i] !== single);
  const axes = named(to).map((axis) => letters.indexOf(axis));
  const found = permuted(reshaped(t, squeezed), axes);
  const extents = to.map((axis) => (axis === single ? 1 : squeezed[letters.indexOf(axis)]));
  return reshaped(found, extents);
}

/** A port's tensor in PyTorch's order of axes. Throws UsageError where the layout does not fit it. */
export function toPyTorch(t: Tensor, layout: string, known?: string): Tensor {
  const order = orderOf(layout, known);
  const found = moved(t, order, layout);
  if (order.to.join('') !== depthwise || layout.includes('->')) return found;
  const [groups, each, ...kernel] = found.shape;
  return reshaped(found, [groups * each, 1, ...kernel]);
}

/** PyTorch's tensor in a port's order of axes. Throws UsageError where the layout does not fit it. */
export function fromPyTorch(t: Tensor, layout: string, known?: string): Tensor {
  const { from, to } = orderOf(layout, known);
  const isDepthwise = to.join('') === depthwise && !layout.includes('->');
  // One map out for each map in: how many there are of several, PyTorch's shape does not say.
  const whole = isDepthwise ? reshaped(t, [t.shape[0], 1, ...t.shape.slice(2)]) : t;
  return moved(whole, { from: to, to: from }, layout);
}
