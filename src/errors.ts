/**
 * The few error classes. Every message says what was wrong, where, and what to do; the command line
 * prints it as one line and never shows a stack trace for a user's mistake.
 */

/** What an error tells beside what was wrong. */
export interface ErrorDetail {
  /** File, flag, tensor or layer that was at fault. */
  readonly where?: string;
  /** What the reader can do about it. */
  readonly fix?: string;
}

const sentence = (what: string, { where, fix }: ErrorDetail): string =>
  `${where === undefined ? '' : `${where}: `}${what}${fix === undefined ? '' : `; ${fix}`}`;

/** A mistake the person at the keyboard can mend: exit code 2. */
export abstract class UserError extends Error {
  readonly where: string | undefined;
  readonly fix: string | undefined;

  constructor(what: string, detail: ErrorDetail = {}) {
    super(sentence(what, detail));
    this.where = detail.where;
    this.fix = detail.fix;
  }
}

/** Wrong flags, names or settings. */
export class UsageError extends UserError {
  override readonly name = 'UsageError';
}

/** A file or directory that is missing, damaged or of another kind than expected. */
export class InputError extends UserError {
  override readonly name = 'InputError';
}

/** The machine cannot do what was asked: no such device, lost device, out of memory. */
export class DeviceError extends UserError {
  override readonly name = 'DeviceError';
}

/** A training run that cannot go on: a loss or weight became NaN or infinite. */
export class TrainingError extends UserError {
  override readonly name = 'TrainingError';
}

/** Somebody asked the process to stop: Ctrl-C, a closed terminal, a scheduler. Not what was asked for at first. */
export class Interrupted extends UserError {
  override readonly name = 'Interrupted';
  readonly signal: NodeJS.Signals;

  constructor(signal: NodeJS.Signals, what: string, detail?: ErrorDetail) {
    super(what, detail);
    this.signal = signal;
  }
}

/** A graph that does not fit together: a mistake in a model, an adjoint or a lowering. */
export class GraphError extends Error {
  override readonly name = 'GraphError';
  /** The layer whose part of the graph it is, where that is known. */
  readonly layer: string | undefined;

  constructor(what: string, layer?: string) {
    super(layer === undefined ? what : `${layer}: ${what}`);
    this.layer = layer;
  }
}

/** Runs what makes a layer's part of a graph: a GraphError of which no inner layer is known is this one's. */
export function inLayer<T>(layer: () => string | undefined, make: () => T): T {
  try {
    return make();
  } catch (error) {
    if (!(error instanceof GraphError) || error.layer !== undefined) throw error;
    throw new GraphError(error.message, layer());
  }
}
