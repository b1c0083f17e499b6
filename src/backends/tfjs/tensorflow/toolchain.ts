import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { DeviceError } from '../../../errors.ts';

/** Where Node.js keeps the headers for its own version, nearest first. */
function headerDirectories(environment: NodeJS.ProcessEnv, executable: string): string[] {
  const version = process.version.slice(1);
  const caches = [
    environment.XDG_CACHE_HOME ?? join(homedir(), '.cache'),
    join(homedir(), 'Library', 'Caches'),
  ];
  const roots = [
    environment.npm_config_nodedir,
    join(dirname(executable), '..'),
    ...caches.map((cache) => join(cache, 'node-gyp', version)),
  ];
  return roots.flatMap((root) => (root ? [join(root, 'include', 'node')] : []));
}

/** The directory with `node_api.h`. Throws DeviceError where this Node.js came without. */
export function nodeHeaders(
  environment: NodeJS.ProcessEnv = process.env,
  executable = process.execPath,
): string {
  const directories = headerDirectories(environment, executable);
  const found = directories.find((directory) => existsSync(join(directory, 'node_api.h')));
  if (found !== undefined) return found;
  throw new DeviceError(`the headers of Node.js ${process.version} are not on this machine`, {
    fix: "fetch them with `npx node-gyp install`, or install Node.js's own archive, which has them in include/node",
  });
}

/** A C++ compiler: the one in CXX, or the first of the usual. Throws DeviceError where there is none. */
export function compiler(environment: NodeJS.ProcessEnv = process.env): string {
  const candidates = environment.CXX ? [environment.CXX] : ['c++', 'g++', 'clang++'];
  const found = candidates.find(
    (command) => spawnSync(command, ['--version'], { stdio: 'ignore' }).status === 0,
  );
  if (found !== undefined) return found;
  throw new DeviceError(`there is no C++ compiler called ${candidates.join(', ')}`, {
    fix: 'install g++ (apt-get install g++, xcode-select --install), or name one in CXX',
  });
}
