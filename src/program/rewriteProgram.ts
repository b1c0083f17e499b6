import type { Node } from '../ir/node.ts';
import { rewrite } from '../ir/rewrite.ts';
import { type Program, programRoots, verifyProgram } from './program.ts';

/** The program with `replace` asked at every node (see `rewrite`), and perhaps more inputs. */
export function rewriteProgram(
  program: Program,
  replace: (node: Node, operands: readonly Node[]) => Node | undefined,
  inputs: Program['inputs'] = new Map(),
): Program {
  const { fetched, nextState } = programRoots(program, [...program.fetches.keys()]);
  const renewed = rewrite([...fetched.values(), ...nextState.values()], replace);
  return verifyProgram({
    name: program.name,
    inputs: new Map([...program.inputs, ...inputs]),
    state: new Map(
      [...program.state].map(([name, slot]) => [
        name,
        slot.next === undefined ? slot : { ...slot, next: renewed.get(slot.next)! },
      ]),
    ),
    fetches: new Map([...program.fetches].map(([name, node]) => [name, renewed.get(node)!])),
  });
}
