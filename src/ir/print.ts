import { topologicalOrder } from './graph.ts';
import type { Node } from './node.ts';

const isLeafParam = (key: string, node: Node): boolean =>
  node.op === 'input' || node.op === 'constant' ? key === 'shape' || key === 'dtype' : false;

const formatParam = (value: unknown): string =>
  Array.isArray(value) ? `[${value.map(formatParam).join(',')}]` : String(value);

function formatParams(node: Node): string {
  const entries = Object.entries(node.params).filter(([key]) => !isLeafParam(key, node));
  if (entries.length === 0) return '';
  return ` {${entries.map(([key, value]) => `${key}=${formatParam(value)}`).join(' ')}}`;
}

/**
 * The graph as text, one value a line, in execution order:
 *
 *     %3 = conv2d %0 %1 {stride=[1,1] padding=[1,1]} : float[4,64,32,32]  # features.0
 *
 * `names` are the fetches and layer outputs; a value with several names shows them all.
 */
export function printGraph(names: ReadonlyMap<string, Node>): string {
  const labels = new Map<Node, string[]>();
  for (const [name, node] of names) labels.set(node, [...(labels.get(node) ?? []), name]);
  const order = topologicalOrder(names.values());
  const ids = new Map(order.map((node, i) => [node, `%${i}`]));
  const lines = order.map((node) => {
    const operands = node.inputs.map((x) => ` ${ids.get(x)}`).join('');
    const type = `${node.dtype}[${node.shape.join(',')}]`;
    const label = labels.get(node);
    const comment = label === undefined ? '' : `  # ${label.join(', ')}`;
    return `${ids.get(node)} = ${node.op}${operands}${formatParams(node)} : ${type}${comment}`;
  });
  return `${lines.join('\n')}\n`;
}
