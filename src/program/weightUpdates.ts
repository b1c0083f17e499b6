import { input } from '../ir/build.ts';
import type { Node } from '../ir/node.ts';
import { swaUpdate } from '../optim/swaUpdate.ts';
import type { Shape } from '../tensor/shape.ts';
import { byInputName, type Program, type StateSlot, verifyProgram } from './program.ts';

type Shapes = Iterable<readonly [string, Shape]>;

/** The SWA average's name beside its weight's. */
export const averageOf = (name: string): string => `swa.${name}`;

/**
 * Takes the current weights into the running average. Inputs: keep and take, see `swaShares`.
 * State: every parameter (read) and its average `swa.<name>`.
 */
export function averageWeights(parameters: Shapes): Program {
  const keep = input('keep', []) as Node<'input'>;
  const take = input('take', []) as Node<'input'>;
  const state = new Map<string, StateSlot>();
  for (const [name, shape] of parameters) {
    const weight = input(name, shape) as Node<'input'>;
    const average = input(averageOf(name), shape) as Node<'input'>;
    state.set(name, { current: weight });
    state.set(averageOf(name), { current: average, next: swaUpdate(average, weight, keep, take) });
  }
  return verifyProgram({
    name: 'SWA average',
    inputs: byInputName([keep, take]),
    state,
    fetches: new Map(),
  });
}
