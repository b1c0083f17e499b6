import { add, mul, reduceSum } from '../../ir/build.ts';
import type { Node } from '../../ir/node.ts';
import type { Program } from '../../program/program.ts';
import { stepOrder } from '../../program/stepOrder.ts';

const total = (x: Node): Node =>
  reduceSum(
    x,
    x.shape.map((_, axis) => axis),
  );

/** What `watched` adds to the fetches. */
export const watch = 'sum of the new state';

/**
 * A training step that also sums up what it leaves in the state. NaN and infinity survive a sum, so one
 * number tells of every weight and running statistic, for less than a hundredth of the step's time. It
 * may overflow where all are finite: an alarm is looked into before it stops a run.
 *
 * What the optimizer keeps is left out: whatever becomes of it reaches its weight in the same step.
 */
export function watched(program: Program): Program {
  const sums: Node[] = [];
  for (const { role, next } of program.state.values()) {
    if (next !== undefined && role !== 'optimizer') sums.push(total(next));
  }
  return withSum(program, watch, sums);
}

const withSum = (program: Program, name: string, sums: readonly Node[]): Program => ({
  ...program,
  fetches: new Map([...program.fetches, [name, sums.reduce((a, b) => add(a, b))]]),
});

/** What `watchedGradients` adds to the fetches. */
export const gradientWatch = 'sum of the gradients';

/** The same of fetched gradients: a program sums them up in a quarter of the time that it takes out here. */
export const watchedGradients = (program: Program, names: readonly string[]): Program =>
  withSum(
    program,
    gradientWatch,
    names.map((name) => total(program.fetches.get(name)!)),
  );

/** The layer of a parameter or buffer: `features.0.weight` → `features.0`. */
const layerOf = (name: string): string => name.slice(0, name.lastIndexOf('.'));

/**
 * All that a program computes, in the order in which it does: of each layer its weights, then its output; the loss,
 * the gradients, the update. The names are what one reads in a message.
 */
function places(program: Program): Map<string, Node> {
  const { fetches, state } = program;
  const carried = [...state].filter(([, { role }]) => role !== 'optimizer');
  const order = new Map<string, Node>();
  const put = (place: string, node: Node | undefined): void => {
    if (node !== undefined && node.dtype === 'float') order.set(place, node);
  };
  const beforeOutput = (layer: string): void => {
    const own = carried.filter(([name]) => layerOf(name) === layer);
    for (const [name, { current }] of own) put(name, current);
    for (const [name, { role, next }] of own) if (role === 'buffer') put(`the new ${name}`, next);
  };
  const steps = stepOrder(program);
  for (const { kind, name } of steps) {
    if (kind !== 'output') continue;
    beforeOutput(name);
    put(`the output of ${name}`, fetches.get(name));
  }
  put('the loss', fetches.get('loss'));
  for (const { kind, name } of steps) {
    if (kind === 'output') continue;
    const of = kind === 'output gradient' ? 'at the output of' : 'of';
    put(`the gradient ${of} ${name.replace(/(\.output)?\.grad$/, '')}`, fetches.get(name));
  }
  for (const [name, { role, next }] of carried) {
    if (role === 'parameter') put(`the update of ${name}`, next);
  }
  return order;
}

/**
 * The same program, asked for one number a place instead of results: 0 while all its elements are finite
 * (0 · x = 0), NaN otherwise.
 */
export const probed = (program: Program): Program => ({
  ...program,
  fetches: new Map([...places(program)].map(([place, x]) => [place, total(mul(x, 0))])),
});
