import type { Backend } from '../../backends/backend.ts';
import type { Node } from '../../ir/node.ts';
import { rewriteProgram } from '../../program/rewriteProgram.ts';

/** A backend that computes some ops otherwise: what a wrong lowering does. */
export const alteredBackend = (
  backend: Backend,
  replace: (node: Node, operands: readonly Node[]) => Node | undefined,
): Backend => ({
  ...backend,
  compile: (program, fetches) => backend.compile(rewriteProgram(program, replace), fetches),
});
