import childProcess from 'node:child_process';
import { syncBuiltinESMExports } from 'node:module';

const starting = ['exec', 'execFile', 'execFileSync', 'execSync', 'fork', 'spawn', 'spawnSync'];

/** From here on this thread starts no process: Python, browsers and our own commands are for `.system.test.ts`. */
export function forbidProcesses(): void {
  for (const name of starting) {
    Object.assign(childProcess, {
      [name](program: unknown) {
        throw new Error(
          `a unit test started ${program} (${name}): name its file .system.test.ts, or do without`,
        );
      },
    });
  }
  syncBuiltinESMExports();
}
