#!/usr/bin/env node
import { reportUncaught } from './failure.ts';
import { run } from './run.ts';
import { outliveOutput } from './terminal/standardOutput.ts';

outliveOutput('swa-align');
reportUncaught('swa-align');
process.exitCode = await run(process.argv.slice(2));
