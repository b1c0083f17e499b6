import type { ProbeKind } from '../../align/reference/probe.ts';
import type { Node } from '../../ir/node.ts';
import type { Program } from '../../program/program.ts';
import type { Tensor, TensorMap } from '../../tensor/tensor.ts';

/** What a tensor is computed from. */
export interface Origin {
  /** Names of tensors that are recorded or given. */
  readonly from: readonly string[];
  /** The layer in PyTorch's words, where its name does not tell it. */
  readonly what?: string;
}

/** What a program is given, and no verdict is on: inputs, weights, masks. */
export interface Given {
  readonly kind: ProbeKind;
  readonly value: Tensor;
}

/** Origins by the names of tensors, and what they lead back to. */
export interface Origins {
  readonly origins: ReadonlyMap<string, Origin>;
  readonly given: ReadonlyMap<string, Given>;
}

/** Weights as they were before the first step, by the name that causes know them by. */
const atStart = (name: string): string => `initial/${name}`;

/** The nearest named nodes before a node. */
function sourcesOf(node: Node, named: ReadonlyMap<Node, string>): string[] {
  const found = new Set<string>();
  const seen = new Set<Node>();
  const walk = (value: Node): void => {
    if (seen.has(value)) return;
    seen.add(value);
    const name = named.get(value);
    if (name !== undefined) found.add(name);
    else for (const operand of value.inputs) walk(operand);
  };
  for (const operand of node.inputs) walk(operand);
  return [...found];
}

/**
 * What each recorded tensor of a run of a program is computed from. `recorded` are names of fetches; in the origins
 * `prefix` stands before them. `feeds` and `state` are what the run was given.
 */
export function originsOf(
  program: Program,
  recorded: readonly string[],
  { prefix = '', feeds, state }: { prefix?: string; feeds: TensorMap; state: TensorMap },
): Origins {
  const given = new Map<string, Given>();
  const named = new Map<Node, string>();
  for (const [name, node] of program.inputs) {
    const value = feeds.get(name);
    if (value === undefined) continue;
    named.set(node, name);
    given.set(name, { kind: name.startsWith('mask') ? 'draw' : 'input', value });
  }
  for (const [name, { current, role }] of program.state) {
    const value = state.get(name);
    if (value === undefined || role === 'optimizer') continue;
    named.set(current, atStart(name));
    const isBuffer = role === 'buffer' || /\.running_\w+$/.test(name);
    given.set(atStart(name), { kind: isBuffer ? 'buffer' : 'weight', value });
  }
  const fetched = recorded.flatMap((name) => {
    const node = program.fetches.get(name);
    return node === undefined ? [] : [[name, node] as const];
  });
  // Of two names for one value, the first is what makes it.
  for (const [name, node] of fetched) if (!named.has(node)) named.set(node, prefix + name);
  const origins = new Map(
    fetched.map(([name, node]): [string, Origin] => {
      const maker = named.get(node)!;
      const from = maker === prefix + name ? sourcesOf(node, named) : [maker];
      return [prefix + name, { from }];
    }),
  );
  return { origins, given };
}
