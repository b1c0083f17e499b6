import type { Tensor } from '@tensorflow/tfjs';
import { GraphError } from '../../errors.ts';
import type { Node } from '../../ir/node.ts';
import { formatShape, type Shape, sameShape } from '../../tensor/shape.ts';
import type { ComputedOp, Kernel } from './kernels/kernel.ts';
import { kernels } from './kernels/kernels.ts';
import type { Plan } from './plan.ts';
import { asChannelsLast, asDeclared, declared, shapeOf, type Tf, type Value } from './value.ts';

/** The shape as the graph declares it. */
function declaredShape({ tensor, channelsLast }: Value): Shape {
  const shape = shapeOf(tensor);
  return channelsLast ? [shape[0], shape[3], shape[1], shape[2]] : shape;
}

/** One op. Throws GraphError when the result has another shape than the graph says. */
function evaluate(tf: Tf, node: Node<ComputedOp>, operands: readonly Value[]): Value {
  const kernel = kernels[node.op] as Kernel<ComputedOp>;
  const value = kernel(tf, node.params as Parameters<typeof kernel>[1], operands);
  const shape = declaredShape(value);
  if (sameShape(shape, node.shape)) return value;
  throw new GraphError(
    `TensorFlow.js's ${node.op} gives ${formatShape(shape)}, declared ${formatShape(node.shape)}`,
  );
}

type Values = Map<Node, Value>;

function runSteps(
  tf: Tf,
  steps: readonly Node[],
  values: Values,
  given: (input: Node<'input'>) => Tensor,
  seen: (node: Node, value: Value) => Value = (_, value) => value,
): void {
  for (const node of steps) {
    if (values.has(node)) continue;
    const value =
      node.op === 'input'
        ? declared(given(node))
        : evaluate(
            tf,
            node,
            node.inputs.map((x) => values.get(x)!),
          );
    values.set(node, seen(node, value));
  }
}

/** Adds nothing to a value in its own layout, so that the gradient of what is added is the value's own. */
const probed = (tf: Tf, value: Value, nothing: Tensor): Value => {
  const probe = declared(nothing);
  const aligned = value.channelsLast ? asChannelsLast(tf, probe) : nothing;
  return { ...value, tensor: tf.add(value.tensor, aligned) };
};

/**
 * Runs the steps up to the loss under TensorFlow.js's autodiff. It differentiates by tensors that are there
 * before it begins: an input is one; for an inner value it is a zero that is added to it.
 *
 * Fills `values` with the gradients and with the values that are needed afterwards, whose tensors are kept
 * from being tidied away and handed to `keep`.
 */
function differentiate(
  tf: Tf,
  { loss, steps, wanted, kept }: NonNullable<Plan['differentiated']>,
  values: Values,
  given: (input: Node<'input'>) => Tensor,
  keep: (tensor: Tensor) => void,
): void {
  const at = new Map(
    wanted.map(({ of }) => [of, of.op === 'input' ? given(of) : tf.zeros([...of.shape])]),
  );
  const inner: Values = new Map();
  const { grads } = tf.valueAndGrads(() => {
    runSteps(tf, steps, inner, given, (node, value) => {
      const probe = node.op === 'input' ? undefined : at.get(node);
      return probe === undefined ? value : probed(tf, value, probe);
    });
    for (const node of kept) {
      const value = inner.get(node)!;
      keep(tf.keep(value.tensor));
      values.set(node, value);
    }
    return asDeclared(tf, inner.get(loss)!);
  })([...at.values()]);
  const gradients = new Map([...at.keys()].map((of, i) => [of, grads[i]]));
  for (const { gradient, of } of wanted) values.set(gradient, declared(gradients.get(of)!));
}

/** A run's results, each a tensor of its own. */
export interface Results {
  readonly fetched: ReadonlyMap<string, Tensor>;
  readonly nextState: ReadonlyMap<string, Tensor>;
}

/**
 * Runs a plan, given its inputs' tensors. Everything else that was allocated on the way is freed, whether
 * the run succeeds or throws.
 */
export function execute(tf: Tf, plan: Plan, given: (input: Node<'input'>) => Tensor): Results {
  const kept: Tensor[] = [];
  const results = { fetched: new Map<string, Tensor>(), nextState: new Map<string, Tensor>() };
  try {
    tf.tidy(() => {
      const values: Values = new Map();
      if (plan.differentiated !== undefined) {
        differentiate(tf, plan.differentiated, values, given, (t) => kept.push(t));
      }
      runSteps(tf, plan.steps, values, given);
      const publish = (named: ReadonlyMap<string, Node>, into: Map<string, Tensor>): Tensor[] =>
        [...named].map(([name, node]) => {
          // A copy of the handle: a node may have several names, or be an input that stays.
          const own = tf.clone(asDeclared(tf, values.get(node)!));
          into.set(name, own);
          return own;
        });
      return [
        ...publish(plan.fetched, results.fetched),
        ...publish(plan.nextState, results.nextState),
      ];
    });
    return results;
  } finally {
    for (const tensor of kept) tensor.dispose();
  }
}
