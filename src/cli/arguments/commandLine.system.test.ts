import { spawnSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { shellLine, shellQuoted } from './commandLine.ts';

test.skipIf(process.platform === 'win32')('a shell reads back every word as it was', () => {
  // No process can be given a NUL.
  const word = fc.string({ unit: 'binary' }).map((text) => text.replaceAll('\0', ''));
  fc.assert(
    fc.property(fc.array(word, { minLength: 1, maxLength: 50 }), (words) => {
      const line = `printf '%s\\0' ${words.map(shellQuoted).join(' ')}`;
      const { stdout } = spawnSync('sh', ['-c', line], { encoding: 'utf8' });
      expect(stdout).toBe(words.map((w) => `${w}\0`).join(''));
    }),
    { numRuns: 20 },
  );
});

describe('a line starts the program as it was started:', () => {
  const cwd = '/home/me/project';
  const npm = { npm_package_name: 'swa-align', npm_command: 'run-script' };
  const bin = `${cwd}/node_modules/.bin/swa-align`;
  test.each([
    [
      'npm run train',
      { ...npm, npm_lifecycle_event: 'train' },
      'x.ts',
      'npm run train -- --resume a',
    ],
    [
      'npm run cli',
      { ...npm, npm_lifecycle_event: 'cli' },
      'x.ts',
      'npm run -s cli -- train --resume a',
    ],
    ['npx', { npm_command: 'exec' }, bin, 'npx swa-align train --resume a'],
    ['its name', {}, '/usr/local/bin/swa-align', 'swa-align train --resume a'],
    ['its file', {}, `${cwd}/dist/cli/main.js`, 'node dist/cli/main.js train --resume a'],
    ['its source', {}, `${cwd}/src/cli/main.ts`, 'npx tsx src/cli/main.ts train --resume a'],
    [
      'another package’s script',
      { npm_package_name: 'mine', npm_lifecycle_event: 'train' },
      bin,
      'swa-align train --resume a',
    ],
  ])('%s', (_, env, file, line) => {
    expect(shellLine('train', ['--resume', 'a'], { argv: ['node', file], env, cwd })).toBe(line);
  });
});
