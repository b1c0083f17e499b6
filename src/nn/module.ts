import { GraphError, inLayer } from '../errors.ts';
import { add, input, type Operand } from '../ir/build.ts';
import type { Node } from '../ir/node.ts';
import type { Shape } from '../tensor/shape.ts';
import type { InitPlan, InitStep } from '../torch/initialise.ts';

/** `parameter`: trained by the optimizer. `buffer`: carried and updated by the forward pass. */
export type Role = 'parameter' | 'buffer';

export interface StateSpec {
  /** PyTorch's full name, as in `state_dict()`: `features.0.weight`. */
  readonly name: string;
  readonly shape: Shape;
  readonly role: Role;
}

/** A layer or a tree of layers. Plain data, but for `forward`, which writes its graph. */
export interface Module {
  /** In `state_dict()` order. */
  readonly state: readonly StateSpec[];
  /** The random draws of PyTorch's constructor, in its order. */
  readonly init: readonly InitStep[];
  readonly dropouts: readonly DropoutSpec[];
  readonly forward: (x: Node, pass: ForwardPass) => Node;
}

/** A whole network for images. */
export interface Network extends Module {
  /** Shape of one image, without the batch: [3, 32, 32]. */
  readonly image: Shape;
}

/** A dropout layer draws one mask [batch, width] a training step. */
export interface DropoutSpec {
  readonly layer: string;
  readonly p: number;
  readonly width: number;
}

/** How running statistics move: old · keep + new · take; keep is 1 − take, rounded from a float64. */
export interface StatisticsShares {
  readonly keep: Operand;
  readonly take: Operand;
}

/** What one building of a forward graph carries along. */
export interface ForwardPass {
  readonly mode: 'train' | 'eval';
  /** Parameters and buffers by name, as graph inputs. */
  readonly state: ReadonlyMap<string, Node<'input'>>;
  /** False leaves dropout out of a training pass (profile `ncpaddle`). */
  readonly dropout: boolean;
  /** Overrides every batch norm's own momentum (BN refresh feeds it). */
  readonly statisticsShares?: StatisticsShares;
  /** Filled on the way: every layer's output, by the layer's name. */
  readonly outputs: Map<string, Node>;
  /** Filled on the way: the buffers' values after the pass. */
  readonly bufferUpdates: Map<string, Node>;
  /** Filled on the way: dropout's masks, 1 keeps and 0 drops, in the order they are drawn. */
  readonly masks: Node<'input'>[];
}

/** A fresh pass over `module`, with an input for everything it carries. */
export function forwardPass(
  module: Module,
  options: Pick<ForwardPass, 'mode'> & Partial<Pick<ForwardPass, 'dropout' | 'statisticsShares'>>,
): ForwardPass {
  return {
    dropout: true,
    ...options,
    state: new Map(module.state.map(({ name, shape }) => [name, input(name, shape)])),
    outputs: new Map(),
    bufferUpdates: new Map(),
    masks: [],
  };
}

/** A parameter or buffer of the pass. Throws GraphError when the module did not declare it. */
export function stateNode(pass: ForwardPass, name: string): Node {
  const node = pass.state.get(name);
  if (node === undefined) throw new GraphError(`the model declares no parameter ${name}`);
  return node;
}

/** Runs modules one after another, as nn.Sequential. */
export const sequential = (modules: readonly Module[]): Module => ({
  state: modules.flatMap((m) => m.state),
  init: modules.flatMap((m) => m.init),
  dropouts: modules.flatMap((m) => m.dropouts),
  forward: (x, pass) => modules.reduce((y, m) => m.forward(y, pass), x),
});

/** x → body(x) + shortcut(x), the shortcut being x itself where none is given. */
export const residual = (layer: string, body: Module, shortcut = sequential([])): Module => ({
  state: [...body.state, ...shortcut.state],
  init: [...body.init, ...shortcut.init],
  dropouts: [...body.dropouts, ...shortcut.dropouts],
  forward: recorded(layer, (x, pass) => add(body.forward(x, pass), shortcut.forward(x, pass))),
});

/** Records the module's output under its name: `relu`, and `relu#2` where it is called a second time. */
export const recorded =
  (layer: string, forward: Module['forward']): Module['forward'] =>
  (x, pass) => {
    const y = inLayer(
      () => layer,
      () => forward(x, pass),
    );
    let [name, calls] = [layer, 1];
    while (pass.outputs.has(name)) name = `${layer}#${++calls}`;
    pass.outputs.set(name, y);
    return y;
  };

/** What PyTorch's constructor draws for this module, and in which shapes. */
export const initPlan = (module: Module): InitPlan => ({
  shapes: new Map(module.state.map(({ name, shape }) => [name, shape])),
  steps: module.init,
});
