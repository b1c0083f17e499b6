import { input } from '../ir/build.ts';
import { topologicalOrder } from '../ir/graph.ts';
import type { Node } from '../ir/node.ts';
import { forwardPass, type Module } from '../nn/module.ts';
import type { Shape } from '../tensor/shape.ts';
import { byInputName, type Program, type StateSlot, verifyProgram } from './program.ts';

/** True where SWA must recompute running statistics before the averaged weights mean anything. */
export const hasBatchNorm = (model: Module): boolean =>
  model.state.some(({ role }) => role === 'buffer');

/**
 * One batch of the pass that recomputes batch norm's running statistics for averaged weights
 * (Izmailov et al. 2018, section 3.2; the authors' bn_update).
 *
 * Inputs: images, `take` = n / (seen + n) for a batch of n images, which weights a short last batch by its
 * size, and `keep` = 1 − take. Buffers must start at mean 0 and variance 1. Layers behind the last batch norm, and
 * so dropout, are not in the graph: the refresh needs no random masks.
 */
export function batchNormRefresh(model: Module, imageShape: Shape): Program {
  const images = input('images', imageShape) as Node<'input'>;
  const keep = input('keep', []) as Node<'input'>;
  const take = input('take', []) as Node<'input'>;
  const pass = forwardPass(model, {
    mode: 'train',
    dropout: false,
    statisticsShares: { keep, take },
  });
  model.forward(images, pass);
  const read = new Set(topologicalOrder(pass.bufferUpdates.values()));
  const state = new Map<string, StateSlot>();
  for (const [name, current] of pass.state) {
    const next = pass.bufferUpdates.get(name);
    if (next !== undefined) state.set(name, { current, next });
    else if (read.has(current)) state.set(name, { current });
  }
  return verifyProgram({
    name: 'batch norm refresh',
    inputs: byInputName([images, keep, take]),
    state,
    fetches: new Map(),
  });
}
