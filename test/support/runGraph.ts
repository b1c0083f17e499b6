import { execute, planOf } from '../../src/backends/oracle/execute.ts';
import { checkType, fromTensor, type Value } from '../../src/backends/oracle/value.ts';
import { GraphError } from '../../src/errors.ts';
import type { Node } from '../../src/ir/node.ts';
import type { TensorMap } from '../../src/tensor/tensor.ts';

/**
 * The values of a few nodes, without a program around them. Throws GraphError when an input is not
 * fed, or with another type than it declares.
 */
export function runGraph<Name extends string>(
  nodes: Readonly<Record<Name, Node>>,
  feeds: TensorMap,
): Record<Name, Value> {
  const entries = Object.entries<Node>(nodes);
  const values = execute(planOf(new Set(entries.map(([, node]) => node))), (node) => {
    const { name } = node.params;
    const fed = feeds.get(name);
    if (fed === undefined) throw new GraphError(`input ${name} is missing`);
    const value = fromTensor(name, fed);
    checkType(name, value, node);
    return value;
  });
  return Object.fromEntries(entries.map(([name, node]) => [name, values.get(node)!])) as Record<
    Name,
    Value
  >;
}
