import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));

function git(...args: string[]): string[] {
  const { stdout, stderr, status } = spawnSync('git', args, { cwd: root, encoding: 'utf8' });
  // check-ignore says 1 when it ignores nothing.
  if (status !== 0 && !(args[0] === 'check-ignore' && status === 1)) throw new Error(stderr);
  return stdout.split('\n').filter((line) => line !== '');
}

const written = [
  'diff/loss_diff.log',
  'diff/loss_ts.npy',
  'diff/vgg16bn/epochs_diff.log',
  'diff/backends.json',
  'reports/diff.html',
  'reports/diff.md',
  'reports/planted.md',
  'reports/run/train_log.txt',
];

describe.skipIf(!existsSync(`${root}/.git`))('diff/ and reports/', () => {
  it('are ignored by git where runs write', () => {
    expect(git('check-ignore', '--no-index', ...written)).toEqual(written);
  });

  it('hold nothing in git but recorded copies, none of which is ignored', () => {
    const tracked = git('ls-files', 'diff', 'reports');
    expect(tracked).toContain('diff/recorded/loss_diff.log');
    expect(tracked).toContain('reports/recorded/diff.html');
    expect(tracked.filter((file) => !/^(diff|reports)\/recorded\//.test(file))).toEqual([]);
    expect(git('check-ignore', '--no-index', ...tracked)).toEqual([]);
  });
});
