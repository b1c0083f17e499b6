import { nextStep, type TrainingStep, type TrainingStream } from '../../data/trainingStream.ts';
import { forkGenerator } from '../../torch/generator.ts';

/** A stream's steps, one of which may be drawn before its turn: while another one is computed. */
export interface StepsAhead {
  /** The stream's next step, with the stream moved past it. */
  take(): TrainingStep;
  /**
   * Draws what `take` will give. The stream stays where it is, so that whoever saves or looks at its
   * position finds that of a run which draws nothing ahead. Nothing else may draw until `take`: between
   * epochs, where evaluations draw first, there is nothing to prepare.
   */
  prepare(): void;
}

export function stepsAhead(stream: TrainingStream): StepsAhead {
  let drawn: { readonly step: TrainingStep; readonly after: TrainingStream } | undefined;
  return {
    take() {
      if (drawn === undefined) return nextStep(stream);
      const { step, after } = drawn;
      drawn = undefined;
      move(stream, after);
      return step;
    },
    prepare() {
      const after = { ...stream, generator: forkGenerator(stream.generator) };
      drawn = { step: nextStep(after), after };
    },
  };
}

/** Puts a stream, and the generator that it may share with others, where another one is. */
function move(stream: TrainingStream, to: TrainingStream): void {
  const { generator } = stream;
  generator.words.set(to.generator.words);
  Object.assign(generator, to.generator, { words: generator.words });
  Object.assign(stream, to, { generator });
}
