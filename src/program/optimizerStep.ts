import { input } from '../ir/build.ts';
import type { Node } from '../ir/node.ts';
import { type OptimizerSettings, scalarsAt, slotsOf, updateOf } from '../optim/optimizer.ts';
import type { Shape } from '../tensor/shape.ts';
import {
  byInputName,
  gradientOf,
  type Program,
  type StateSlot,
  slotOf,
  verifyProgram,
} from './program.ts';

/** The optimizer's part of a program. */
export interface OptimizerStep {
  /** Its numbers, fed anew at every step: `lr`. */
  readonly inputs: readonly Node<'input'>[];
  /** The state of one parameter: itself and the optimizer's slots. */
  readonly slots: (
    name: string,
    weight: Node<'input'>,
    gradient: Node,
  ) => readonly (readonly [string, StateSlot])[];
}

export function optimizerStep(settings: OptimizerSettings): OptimizerStep {
  const names = Object.keys(scalarsAt(settings, 1, 1));
  const scalars = Object.fromEntries(names.map((name) => [name, input(name, []) as Node<'input'>]));
  return {
    inputs: Object.values(scalars),
    slots(name, weight, gradient) {
      const kept = Object.fromEntries(
        slotsOf(settings).map((slot) => [
          slot,
          input(slotOf(name, slot), weight.shape) as Node<'input'>,
        ]),
      );
      const updated = updateOf(settings, { weight, gradient }, kept, scalars);
      return [
        [name, { role: 'parameter', current: weight, next: updated.weight }],
        ...Object.entries(kept).map(([slot, current]): [string, StateSlot] => [
          slotOf(name, slot),
          { role: 'optimizer', current, next: updated.slots[slot] },
        ]),
      ];
    },
  };
}

/**
 * The optimizer alone, its gradients fed from outside: separates a wrong update from a wrong gradient.
 * Inputs: the optimizer's numbers and `<name>.grad` for every parameter. State: parameters and slots.
 */
export function optimizerUpdate(
  parameters: Iterable<readonly [string, Shape]>,
  settings: OptimizerSettings,
): Program {
  const step = optimizerStep(settings);
  const inputs = [...step.inputs];
  const state = new Map<string, StateSlot>();
  for (const [name, shape] of parameters) {
    const weight = input(name, shape) as Node<'input'>;
    const gradient = input(gradientOf(name), shape) as Node<'input'>;
    inputs.push(gradient);
    for (const [key, slot] of step.slots(name, weight, gradient)) state.set(key, slot);
  }
  return verifyProgram({
    name: 'optimizer update',
    inputs: byInputName(inputs),
    state,
    fetches: new Map(),
  });
}
