import type * as ort from 'onnxruntime-node';
import type { DType } from '../../../ir/op.ts';
import { targets } from '../lowering/target.ts';
import { onnxGraph } from '../onnx/onnxGraph.ts';
import { openSession } from './webgpuSession.ts';

/** Which way a transfer goes. */
export type Direction = 'toDevice' | 'toHost';

/** Moves tensors of a program between the host and the device. */
export interface Transfers {
  /** The same tensors where `direction` says, in the same order. */
  move(direction: Direction, values: readonly ort.Tensor[]): Promise<readonly ort.Tensor[]>;
  dispose(): Promise<void>;
}

/** Sets of shapes whose copying graph is kept: a model's state, its weights, windows of up to 32 steps. */
const keptGraphs = 48;

const nameOf = (i: number): string => `t${i}`;
const copyOf = (i: number): string => `t${i}'`;

const dtypeOf = ({ type }: ort.Tensor): DType => (type === targets.webgpu.int ? 'int' : 'float');

function copyingGraph(values: readonly ort.Tensor[]): Uint8Array {
  const g = onnxGraph('transfer', { int: targets.webgpu.int });
  values.forEach((value, i) => {
    g.input(nameOf(i), dtypeOf(value), value.dims);
    g.output(copyOf(i), nameOf(i), dtypeOf(value), value.dims);
  });
  return g.toBytes();
}

/**
 * The binding cannot read a device tensor (`getData` on one ends the process), nor make one: a graph that
 * only copies takes its inputs from either side and leaves its outputs on the other.
 */
export function transfers(): Transfers {
  const graphs = new Map<string, Promise<ort.InferenceSession>>();

  const graphFor = (direction: Direction, values: readonly ort.Tensor[]) => {
    const key = `${direction} ${values.map(({ type, dims }) => `${type} ${dims}`).join(';')}`;
    const found = graphs.get(key) ?? openGraph(direction, values);
    // The one used last comes last.
    graphs.delete(key);
    graphs.set(key, found);
    // One that could not be opened is tried anew the next time.
    found.catch(() => graphs.delete(key));
    return found;
  };
  const openGraph = async (direction: Direction, values: readonly ort.Tensor[]) => {
    if (graphs.size >= keptGraphs) {
      const [oldest, session] = graphs.entries().next().value!;
      graphs.delete(oldest);
      await (await session).release();
    }
    const location = direction === 'toDevice' ? 'gpu-buffer' : 'cpu';
    const outputs = Object.fromEntries(values.map((_, i) => [copyOf(i), location] as const));
    return openSession(copyingGraph(values), outputs);
  };

  return {
    async move(direction, values) {
      if (values.length === 0) return [];
      const session = await graphFor(direction, values);
      const results = await session.run(
        Object.fromEntries(values.map((value, i) => [nameOf(i), value])),
      );
      return values.map((_, i) => results[copyOf(i)] as ort.Tensor);
    },
    async dispose() {
      for (const session of graphs.values()) await (await session).release();
      graphs.clear();
    },
  };
}
