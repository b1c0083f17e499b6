import type { Node } from '../ir/node.ts';

type Named<T> = Readonly<Record<string, T>>;

/** A parameter about to be updated. */
export interface Parameter {
  readonly weight: Node;
  readonly gradient: Node;
}

export interface Updated {
  readonly weight: Node;
  /** By the rule's slots. */
  readonly slots: Named<Node>;
}

/** An optimizer as data: what it keeps for each parameter, and the graph of one step. */
export interface Rule<Settings> {
  /** Tensors of a parameter's shape, zero before the first step, as PyTorch's `state_dict()` calls them. */
  readonly slots: readonly string[];
  /** Numbers that step `t`, counted from 1, is fed; the same for every parameter, rounded from float64. */
  readonly scalars: (settings: Settings, lr: number, t: number) => Named<number>;
  readonly update: (
    settings: Settings,
    parameter: Parameter,
    slots: Named<Node>,
    scalars: Named<Node>,
  ) => Updated;
}
