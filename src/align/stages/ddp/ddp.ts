import type { Part, Stage } from '../stage.ts';
import { ddpExpectations } from './ddpExpectations.ts';
import { rankCounts, recordOf } from './ddpRecord.ts';
import { ddpRecording } from './ddpRecording.ts';
import { ranksHere } from './ranksHere.ts';

const among = (size: number): Part => ({
  async run(context) {
    const { reference, backend, progress, ranks } = context;
    progress?.(`${size} ranks`);
    const apart = await ranks?.(reference, size);
    const { findings, where } =
      apart !== undefined && 'findings' in apart
        ? apart
        : await ranksHere(backend, reference, size);
    const why = apart !== undefined && 'why' in apart ? `: ${apart.why}` : '';
    const found = ddpRecording(findings, reference, recordOf(reference, size));
    return {
      ...found,
      inputs: Object.keys(reference.manifest.inputs).filter((path) => path.endsWith('.bin')),
      notes: [`${size} ranks ${where}${why}`, ...(found.notes ?? [])],
    };
  },
  expect: ({ reference }) => ddpExpectations(reference, recordOf(reference, size)),
});

/**
 * Training among several ranks, by what PyTorch's DistributedDataParallel recorded on gloo: whose samples are whose,
 * the mean of its own gradients to the bit, and a small run of which every rank's batches, masks and state are to be
 * right to the bit, and losses and weights as near as PyTorch is to itself.
 */
export const ddp: Stage = (reference) => rankCounts(reference).map(among);
