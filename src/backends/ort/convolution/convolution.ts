import type { Node } from '../../../ir/node.ts';
import type { Pair } from '../../../ir/op.ts';
import type { Shape } from '../../../tensor/shape.ts';
import type { OnnxGraph, Value } from '../onnx/onnxGraph.ts';
import { bilinear } from './bilinear.ts';
import * as direct from './direct.ts';
import type { Formulation, Geometry } from './geometry.ts';
import { pairsAxis } from './placePairs.ts';
import * as taps from './taps.ts';
import { winogradAxis } from './winogradMatrices.ts';

const pairs = bilinear(pairsAxis);
const winograd = bilinear(winogradAxis);

const area = ([, , height, width]: Shape): number => height * width;

/** Largest map, in places, on which Winograd's fewer products outweigh its fourfold maps. */
const winogradMap = 256;

/** Largest map for which Gemms over the batch beat Conv, which works image by image. */
const smallMap = 64;

/**
 * Measured on two AVX-512 cores: Conv reads its weights anew for every image and falls from 150 GFLOP/s on
 * 32×32 maps to 70 on 8×8 and 12 on 2×2, while a Gemm over the whole batch keeps 130 to 180. Weight gradients are
 * Gemms in every formulation. On maps no larger than the kernel there are as few pairs of places as
 * Winograd has products, and no transformed numbers are added up.
 */
function formulationFor({ x, y, kernel, stride }: Geometry): Formulation {
  const unit = stride.every((s) => s === 1);
  const within = (places: number): boolean => area(x) <= places && area(y) <= places;
  if (unit && area(x) <= kernel[0] * kernel[1]) return pairs;
  if (unit && kernel.every((k) => k === 3) && within(winogradMap)) return winograd;
  if (unit && within(smallMap)) return taps;
  return { ...direct, weightGrad: taps.weightGrad };
}

const kernelOf = (w: Shape): Pair => [w[2], w[3]];

export function conv2d(g: OnnxGraph, node: Node<'conv2d'>, operands: readonly Value[]): Value {
  const [x, w, bias] = operands;
  const kernel = kernelOf(node.inputs[1].shape);
  const at = { x: node.inputs[0].shape, y: node.shape, kernel, ...node.params };
  return formulationFor(at).forward(g, at, x, w, bias);
}

export function conv2dInputGrad(
  g: OnnxGraph,
  { params: { stride, padding }, shape, inputs }: Node<'conv2dInputGrad'>,
  [dy, w]: readonly Value[],
): Value {
  const kernel = kernelOf(inputs[1].shape);
  const at = { x: shape, y: inputs[0].shape, kernel, stride, padding };
  return formulationFor(at).inputGrad(g, at, dy, w);
}

export function conv2dWeightGrad(
  g: OnnxGraph,
  { params, inputs }: Node<'conv2dWeightGrad'>,
  [x, dy]: readonly Value[],
): Value {
  const at = { x: inputs[0].shape, y: inputs[1].shape, ...params };
  return formulationFor(at).weightGrad(g, at, x, dy);
}
