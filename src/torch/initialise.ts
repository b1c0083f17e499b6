import { GraphError } from '../errors.ts';
import { formatShape, type Shape, sizeOf } from '../tensor/shape.ts';
import { type Tensor, zeros } from '../tensor/tensor.ts';
import { skipU32, type TorchGenerator } from './generator.ts';
import { normal, skipNormal } from './normal.ts';
import { uniform } from './uniform.ts';

/** One in-place initialisation of a whole parameter, as a constructor or an init loop runs it. */
export type InitStep =
  /** `uniform_(-bound, bound)` */
  | { readonly kind: 'uniform'; readonly name: string; readonly bound: number }
  | {
      readonly kind: 'normal';
      readonly name: string;
      readonly mean: number;
      readonly std: number;
    }
  | { readonly kind: 'zeros'; readonly name: string }
  | { readonly kind: 'ones'; readonly name: string };

/**
 * How a model's constructor draws its parameters: `steps` in the order they run. A later step on the
 * same parameter replaces its values, but what the earlier one drew stays drawn.
 */
export interface InitPlan {
  readonly shapes: ReadonlyMap<string, Shape>;
  readonly steps: readonly InitStep[];
}

/**
 * What `nn.Linear` and `nn.Conv2d` do in `reset_parameters`: weight, then bias, uniform within
 * 1/√fan_in. `weightShape` is [out, in] or [out, in, height, width].
 */
export function defaultLayerSteps(name: string, weightShape: Shape): InitStep[] {
  const bound = 1 / Math.sqrt(sizeOf(weightShape.slice(1)));
  return [
    { kind: 'uniform', name: `${name}.weight`, bound },
    { kind: 'uniform', name: `${name}.bias`, bound },
  ];
}

function run(step: InitStep, values: Float32Array, g: TorchGenerator): void {
  switch (step.kind) {
    case 'uniform':
      uniform(g, values, -step.bound, step.bound);
      break;
    case 'normal':
      normal(g, values, step.mean, step.std);
      break;
    case 'zeros':
      values.fill(0);
      break;
    case 'ones':
      values.fill(1);
  }
}

function skip(step: InitStep, size: number, g: TorchGenerator): void {
  if (step.kind === 'uniform') skipU32(g, size);
  else if (step.kind === 'normal') skipNormal(g, size);
}

function shapeOf(plan: InitPlan, name: string): Shape {
  const shape = plan.shapes.get(name);
  if (shape === undefined) throw new GraphError(`initialisation of ${name}, which has no shape`);
  return shape;
}

/**
 * The parameters as the model's constructor leaves them, in the order of `plan.shapes`; advances `g`
 * by every draw of every step. Throws GraphError when steps and shapes name different parameters.
 */
export function initialise(plan: InitPlan, g: TorchGenerator): Map<string, Tensor<'float32'>> {
  const parameters = new Map<string, Tensor<'float32'>>();
  for (const [name, shape] of plan.shapes) parameters.set(name, zeros('float32', shape));
  const lastStep = new Map(plan.steps.map((step, i) => [step.name, i]));
  for (const [name, shape] of plan.shapes) {
    if (!lastStep.has(name)) {
      throw new GraphError(`no initialisation for ${name} ${formatShape(shape)}`);
    }
  }
  plan.steps.forEach((step, i) => {
    const shape = shapeOf(plan, step.name);
    const parameter = parameters.get(step.name);
    if (parameter === undefined || lastStep.get(step.name) !== i) skip(step, sizeOf(shape), g);
    else run(step, parameter.data, g);
  });
  return parameters;
}

/** Advances `g` as building the model would, for a model whose own values are never used. */
export function skipInitialisation(plan: InitPlan, g: TorchGenerator): void {
  for (const step of plan.steps) skip(step, sizeOf(shapeOf(plan, step.name)), g);
}
