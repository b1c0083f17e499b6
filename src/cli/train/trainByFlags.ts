import type { Command } from 'commander';
import { givenWords, shellLine } from '../arguments/commandLine.ts';
import type { CliContext } from '../context.ts';
import { onInterrupt } from '../terminal/interrupt.ts';
import { givenSettings, type TrainFlags } from './givenSettings.ts';
import { openRun } from './openRun.ts';
import { dataPathOf, planRun } from './planRun.ts';
import { claimSeedRuns, type OneRun, trainSeeds } from './seedRuns.ts';
import { refuseIdleFlags, trainAmongRanks } from './trainAmongRanks.ts';
import { interruption, runOf, trainOne } from './trainOne.ts';

/** Trains, once or from each seed in turn. Everything is checked and read before the first file is written. */
export async function trainByFlags(
  flags: TrainFlags,
  command: Command,
  context: CliContext,
): Promise<void> {
  if (flags.distributed) return trainAmongRanks(flags, command, context);
  refuseIdleFlags(flags);
  const { seeds } = flags;
  const several =
    seeds && (await claimSeedRuns({ ...flags, seeds }, givenSettings(flags), context.claims));
  const single = several === undefined ? await planRun(flags, context) : undefined;
  if (flags.logSteps !== undefined) {
    await context.claims.claimFile(flags.logSteps, 'give --log-steps another file');
  }
  const { settings } = single ?? several!.plans[0];
  const dataPath = single === undefined ? flags.dataPath : dataPathOf(flags, single);
  const { weights, ...others } = flags;
  const opened = await openRun(
    settings,
    dataPath,
    single?.found === undefined ? flags : others,
    context,
  );
  const stop = new AbortController();
  const asked = { flags, command, single: several === undefined };
  const train = (plan: OneRun) =>
    trainOne(runOf(plan, opened, flags, stop.signal), plan, asked, context);
  const release = onInterrupt({ stop, ...interruption });
  try {
    if (several === undefined) await train(single!);
    else {
      const ending = await trainSeeds(several, train, context);
      if (ending === 'interrupted') {
        context.printWhole(`continue with: ${shellLine('train', givenWords(command))}`);
      }
    }
  } finally {
    release();
  }
}
