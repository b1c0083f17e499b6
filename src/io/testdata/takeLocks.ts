import { once } from 'node:events';
import { appendFileSync } from 'node:fs';
import { tryLock } from '../output/lock.ts';

/**
 * A process of its own that, at a line on standard input, tries to take each lock in turn, and keeps them:
 * `takeLocks.ts FILE…`. Those it gets are added to a list beside each.
 */
const timing = { beatMs: 50, pollMs: 10, deadMs: 3_600_000 };
process.stdout.write('ready\n');
await once(process.stdin, 'data');
for (const path of process.argv.slice(2)) {
  const taken = await tryLock(path, { timing });
  if ('lock' in taken) appendFileSync(`${path}.taken`, `${process.pid}\n`);
}
process.stdout.write('done\n');
setInterval(() => {}, 1000);
