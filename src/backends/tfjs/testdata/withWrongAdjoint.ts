import { input, mul } from '../../../ir/build.ts';
import type { Node } from '../../../ir/node.ts';
import { byInputName, type Program } from '../../../program/program.ts';

/** x² by its own adjoint, and a gradient node that is wrong on purpose. */
export function withWrongAdjoint(): Program {
  const x = input('x', []);
  const loss = mul(x, x);
  const wrong = mul(x, 100);
  return {
    name: 'square',
    inputs: byInputName([x]),
    state: new Map(),
    fetches: new Map<string, Node>([['x.grad', wrong]]),
    gradients: { loss, of: new Map<Node, Node>([[x, wrong]]) },
  };
}
