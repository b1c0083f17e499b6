import type { Pair } from '../../../ir/op.ts';
import type { Shape } from '../../../tensor/shape.ts';
import type { OnnxGraph, Value } from '../onnx/onnxGraph.ts';

/** One convolution's geometry, the same for its forward pass and both its gradients. */
export interface Geometry {
  /** [n, in channels, height, width] */
  readonly x: Shape;
  /** [n, out channels, height, width] */
  readonly y: Shape;
  readonly kernel: Pair;
  readonly stride: Pair;
  readonly padding: Pair;
}

/** A way to compute a convolution and its gradients. Operands and results are NCHW and OIHW. */
export interface Formulation {
  /** Adds the bias [out channels] where one is given. */
  readonly forward: (g: OnnxGraph, at: Geometry, x: Value, w: Value, bias?: Value) => Value;
  readonly inputGrad: (g: OnnxGraph, at: Geometry, dy: Value, w: Value) => Value;
  readonly weightGrad: (g: OnnxGraph, at: Geometry, x: Value, dy: Value) => Value;
}
