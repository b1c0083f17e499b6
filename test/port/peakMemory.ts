/** Runs our command and says the most memory that the process held: `peakMemory.ts judge OURS --reference REF`. */
import { run } from '../../src/cli/run.ts';

process.exitCode = await run(process.argv.slice(2));
console.log(`peak ${process.resourceUsage().maxRSS * 1024} bytes`);
