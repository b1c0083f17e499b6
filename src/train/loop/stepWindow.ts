import type { Backend, DeviceState, Executable } from '../../backends/backend.ts';
import { type TensorMap, toFloat64 } from '../../tensor/tensor.ts';
import { watch } from '../health/finiteProbes.ts';

/** What a step showed of itself. */
export interface StepSigns {
  readonly loss: number;
  /** Right predictions. */
  readonly correct: number;
  /** See `watched`. */
  readonly watched: number;
}

/** What a training step is asked for. */
export const stepFetches = ['loss', 'correct', watch] as const;

const signsOf = (results: TensorMap, suffix = ''): StepSigns => {
  const [loss, correct, watched] = stepFetches.map(
    (name) => toFloat64(results.get(`${name}${suffix}`)!)[0],
  );
  return { loss, correct, watched };
};

/** A step as its log line needs it. */
export interface MadeStep {
  readonly step: number;
  /** Counted from 0. */
  readonly epoch: number;
  readonly lr: number;
  /** Images of its batch. */
  readonly count: number;
}

/** Steps that are made, their results not yet read. */
export interface StepWindow {
  /** Makes a step; where the backend can, without waiting for its results. */
  make(executable: Executable, state: DeviceState, feeds: TensorMap, step: MadeStep): Promise<void>;
  readonly isEmpty: boolean;
  /** Whether it is time to read. */
  readonly isDue: boolean;
  /** Reads the results of all, in order. */
  read(): Promise<readonly (MadeStep & { readonly signs: StepSigns })[]>;
}

/** How long results may lie unread: often enough for a progress bar, seldom against a GPU's step. */
const patienceMs = 250;
/** And how many steps' feeds may queue up before a device that is slower than this loop. */
const mostSteps = 32;

/**
 * A GPU works while the next step is prepared and sent, but only as long as nobody asks for a result. Backends
 * that compute in the call have it at once: there, every window is one step long.
 */
export function stepWindow(backend: Backend): StepWindow {
  let steps: (MadeStep & { readonly signs?: StepSigns })[] = [];
  let kept: DeviceState = new Map();
  let began = 0;
  return {
    get isEmpty() {
      return steps.length === 0;
    },
    get isDue() {
      const waited = performance.now() - began;
      return kept.size === 0 || steps.length >= mostSteps || waited >= patienceMs;
    },
    async make(executable, state, feeds, step) {
      if (steps.length === 0) began = performance.now();
      if (executable.start === undefined) {
        steps.push({ ...step, signs: signsOf(await executable.run(state, feeds)) });
        return;
      }
      const results = await executable.start(state, feeds);
      for (const [name, value] of results) kept.set(`${name}${step.step}`, value);
      steps.push(step);
    },
    async read() {
      const made = steps;
      const lying = kept;
      steps = [];
      kept = new Map();
      const values: TensorMap = lying.size === 0 ? new Map() : await backend.download(lying);
      await backend.free(lying);
      return made.map(({ signs, ...step }) => ({
        ...step,
        signs: signs ?? signsOf(values, String(step.step)),
      }));
    },
  };
}
