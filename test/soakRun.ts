/**
 * The command line with every VGG a sixteenth as wide, so that a run of real steps, checkpoints and signals
 * takes seconds: what the tests that kill a run start as a process of its own.
 */
import { reportUncaught } from '../src/cli/failure.ts';
import { run } from '../src/cli/run.ts';
import { outliveOutput } from '../src/cli/terminal/standardOutput.ts';
import { models } from '../src/nn/models/index.ts';
import { vgg } from '../src/nn/models/vgg.ts';

Object.assign(models.vgg16bn, {
  build: (classes: number) => vgg({ depth: 16, batchNorm: true, classes, narrow: 16 }),
});

outliveOutput('swa-align');
reportUncaught('swa-align');
process.exitCode = await run(process.argv.slice(2));
