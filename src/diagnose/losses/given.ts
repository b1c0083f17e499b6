import { type Shape, sameShape, sizeOf } from '../../tensor/shape.ts';
import { toFloat64 } from '../../tensor/tensor.ts';
import { oursOf, wholeOf } from '../around.ts';
import { withinStep } from '../stepName.ts';
import type { Evidence, Held, Suspect } from '../suspect.ts';
import type { Classified } from './classified.ts';

/** What a loss was computed from, on our side and in the reference, and the names of both results. */
export interface LossGiven {
  readonly ours: Classified;
  readonly truth: Classified;
  readonly loss: string;
  readonly gradient: string | undefined;
}

/** Where in logits of this shape each label's row lies: classes along the last axis or the second. */
function rowsOf(
  logits: Shape,
  labels: Shape,
): Pick<Classified, 'classes' | 'first' | 'stride'> | undefined {
  const rank = logits.length;
  if (rank < 2) return undefined;
  const classes = logits[rank - 1];
  if (classes > 1 && sizeOf(labels) * classes === sizeOf(logits) && labels.length !== rank) {
    if (rank === 2 || sameShape(labels, logits.slice(0, -1)) || labels.length === 1)
      return { classes, first: (n) => n * classes, stride: 1 };
  }
  const [images, channels, ...map] = logits;
  const stride = sizeOf(map);
  return channels > 1 && sameShape(labels, [images, ...map])
    ? {
        classes: channels,
        first: (n) => Math.floor(n / stride) * channels * stride + (n % stride),
        stride,
      }
    : undefined;
}

const areLabels = (values: Float64Array, classes: number): boolean =>
  values.every((y) => Number.isInteger(y) && y >= 0 && y < classes);

/** What of a loss's sources are logits and labels. */
function among(sources: readonly Held[], evidence: Evidence) {
  for (const logits of sources) {
    for (const labels of sources) {
      const rows = logits === labels ? undefined : rowsOf(logits.shape, labels.shape);
      const [values, classes] = [wholeOf(logits), wholeOf(labels)];
      if (rows === undefined || values === undefined || classes === undefined) continue;
      if (!areLabels(classes, rows.classes)) continue;
      const of = (x: Float64Array): Classified => ({ ...rows, logits: x, labels: classes });
      return { name: logits.name, ours: of(oursOf(evidence, logits) ?? values), truth: of(values) };
    }
  }
  return undefined;
}

/** Names that the gradient of a tensor may have. */
const gradientsOf = (name: string): string[] => [`${name}.grad`, `${name}.output.grad`];

/** Names under which the loss of a gradient's pass may be known. */
const lossesNear = (name: string): string[] => {
  const { when } = withinStep(name);
  return [`${name.slice(0, name.indexOf('/') + 1)}loss`, when === '' ? 'loss' : `${when}/loss`];
};

/** What a loss, or the gradient of it at the logits, was computed from; undefined where that is not known. */
export function lossGiven(suspect: Suspect, evidence: Evidence): LossGiven | undefined {
  const { name, kind } = suspect;
  const names = kind === 'loss' ? [name] : name.endsWith('.grad') ? lossesNear(name) : [];
  for (const loss of names) {
    const sources = evidence.from(loss).flatMap((source) => evidence.held(source) ?? []);
    const found = among(sources, evidence);
    if (found === undefined) continue;
    const gradients = gradientsOf(found.name);
    if (loss !== name && !gradients.includes(name)) continue;
    const gradient = gradients.find((key) => evidence.ours(key) !== undefined);
    return { ours: found.ours, truth: found.truth, loss, gradient };
  }
  return undefined;
}

/** What our side found for a loss, and its gradient at the logits. */
export const foundOf = ({ loss, gradient, ours }: LossGiven, evidence: Evidence) => {
  const own = evidence.ours(loss);
  const sent = gradient === undefined ? undefined : evidence.ours(gradient);
  const values = sent && toFloat64(sent);
  return {
    loss: own === undefined ? undefined : toFloat64(own)[0],
    gradient: values?.length === ours.logits.length ? values : undefined,
  };
};
