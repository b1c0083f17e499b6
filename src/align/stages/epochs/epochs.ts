import type { Part, Stage, StageContext } from '../stage.ts';
import { epochExpectations } from './epochExpectations.ts';
import { epochRecording, fedOf } from './epochRecording.ts';
import { averagedBy, recordOf, stepsAnEpoch } from './epochsRecord.ts';
import { smallRun } from './smallRun.ts';

/** A small run from its step `from` on: in one go from its beginning, or stopped there and resumed. */
const runFrom = (from: number, prefix: string): Part => ({
  keepsPrograms: true,
  async run(context: StageContext) {
    const { reference } = context;
    const record = recordOf(reference);
    const { settings } = record.section;
    const observed = await smallRun(context, record.section, from === 0 ? undefined : from);
    const averaged = averagedBy(settings.epochs, record);
    return {
      ...epochRecording(observed, record, from, prefix),
      fed: fedOf(observed, record, from, prefix),
      inputs: Object.keys(reference.manifest.inputs).filter((path) => path.endsWith('.bin')),
      notes: [
        from === 0
          ? `${settings.epochs} epochs of ${stepsAnEpoch(record.section)} steps, ${averaged} averaged`
          : `the second run stopped after ${from} steps`,
      ],
    };
  },
  expect: ({ reference }, ran) => epochExpectations(recordOf(reference), ran, from, prefix),
});

/**
 * A small run from its first draw to its last average, once in one go and once stopped and resumed, and what
 * `eval` says of it. What is drawn or decided (order, pixels, masks, rates, which epochs join the average, the
 * generator) must be PyTorch's to the bit; what is computed may part from the truth ten times as far as
 * PyTorch, adding up in other orders, does.
 */
export const epochs: Stage = (reference) => {
  const { stop_after: stopAfter } = reference.stage('epochs').settings;
  return [runFrom(0, ''), runFrom(stopAfter, 'resumed: ')];
};
