import { input } from '../ir/build.ts';
import type { Node } from '../ir/node.ts';
import { type SgdSettings, sgd } from '../optim/sgd.ts';
import { swaUpdate } from '../optim/swaUpdate.ts';
import type { Shape } from '../tensor/shape.ts';
import {
  byInputName,
  gradientOf,
  momentumOf,
  type Program,
  type StateSlot,
  verifyProgram,
} from './program.ts';

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

/**
 * SGD alone, its gradients fed from outside: separates a wrong update from a wrong gradient.
 * Inputs: lr and `<name>.grad` for every parameter. State: parameters and momenta.
 */
export function sgdUpdate(parameters: Shapes, settings: SgdSettings): Program {
  const lr = input('lr', []) as Node<'input'>;
  const inputs: Node<'input'>[] = [lr];
  const state = new Map<string, StateSlot>();
  for (const [name, shape] of parameters) {
    const weight = input(name, shape) as Node<'input'>;
    const velocity = input(momentumOf(name), shape) as Node<'input'>;
    const gradient = input(gradientOf(name), shape) as Node<'input'>;
    inputs.push(gradient);
    const updated = sgd(weight, gradient, velocity, lr, settings);
    state.set(name, { current: weight, next: updated.weight });
    state.set(momentumOf(name), { current: velocity, next: updated.momentum });
  }
  return verifyProgram({
    name: 'SGD update',
    inputs: byInputName(inputs),
    state,
    fetches: new Map(),
  });
}
