import { input } from './build.ts';
import type { Node } from './node.ts';
import { rewrite } from './rewrite.ts';

/** A piece of a graph. */
export interface Cut {
  readonly roots: ReadonlyMap<string, Node>;
  /** The given values it reads, as the inputs that now stand for them. */
  readonly inputs: ReadonlyMap<string, Node<'input'>>;
}

/**
 * The piece of a graph between named values: computes `roots` from the `given` values, which become inputs
 * under their names. A root is computed even where it is itself given. Of two names for one value the
 * first is read.
 */
export function cut(roots: ReadonlyMap<string, Node>, given: ReadonlyMap<string, Node>): Cut {
  const computed = new Set(roots.values());
  const names = new Map<Node, string>();
  for (const [name, node] of given) {
    if (!computed.has(node) && !names.has(node)) names.set(node, name);
  }
  const inputs = new Map<string, Node<'input'>>();
  const renewed = rewrite(
    computed,
    (node) => {
      const name = names.get(node);
      if (name === undefined) return undefined;
      const stand = input(name, node.shape, node.dtype);
      inputs.set(name, stand);
      return stand;
    },
    new Set(names.keys()),
  );
  return { roots: new Map([...roots].map(([name, node]) => [name, renewed.get(node)!])), inputs };
}
