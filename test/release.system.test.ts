import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { sha256File } from '../src/io/sha256/sha256File.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const path = join(root, '.github', 'workflows', 'release.yml');

interface Step {
  readonly name?: string;
  readonly uses?: string;
  readonly run?: string;
}

const workflow: {
  readonly on: { readonly push: { readonly tags: readonly string[] } };
  readonly jobs: { readonly draft: { readonly steps: readonly Step[] } };
} = parse(readFileSync(path, 'utf8'));
const { steps } = workflow.jobs.draft;

let dir: string;
const at = (...names: string[]): string => join(dir, ...names);
let notes: string[];
const codes = new Map<string, number | null>();

/** `npm` and `gh` note what they are told; what they would make is made by the test. */
const fake = `#!/usr/bin/env bash
printf '%s\\n' "$(basename "$0") $*" >> "$NOTES"
case "$*" in
  pack*) echo packed > release/swa-align-1.2.3.tgz ;;
  *docs) mkdir -p site/dist && echo page > site/dist/index.html ;;
esac
`;

/** Every step in bash as the runner calls it, in a folder with a package, a script docs and a model. */
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'swa-align-release-'));
  mkdirSync(at('bin'));
  for (const name of ['npm', 'gh']) {
    writeFileSync(at('bin', name), fake);
    chmodSync(at('bin', name), 0o755);
  }
  writeFileSync(
    at('package.json'),
    JSON.stringify({ version: '1.2.3', scripts: { docs: 'made' } }),
  );
  mkdirSync(at('examples', 'models', 'tiny'), { recursive: true });
  writeFileSync(at('examples', 'models', 'tiny', 'config.json'), '{}');
  for (const { name = '', run } of steps) {
    if (run === undefined) continue;
    writeFileSync(at('step.sh'), run);
    const { status } = spawnSync('bash', ['--noprofile', '--norc', '-e', at('step.sh')], {
      cwd: dir,
      env: {
        ...process.env,
        PATH: `${at('bin')}${delimiter}${process.env.PATH}`,
        GITHUB_REF_NAME: 'v1.2.3',
        NOTES: at('notes'),
      },
    });
    codes.set(name, status);
  }
  notes = readFileSync(at('notes'), 'utf8').trimEnd().split('\n');
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

describe('the release workflow', () => {
  test('runs on tags of versions alone', () => {
    expect(workflow.on).toEqual({ push: { tags: ['v*'] } });
  });

  test('every step ends well, and none of its scripts holds an expression', () => {
    expect(codes.size).toBe(steps.filter(({ run }) => run !== undefined).length);
    expect([...codes].filter(([, code]) => code !== 0)).toEqual([]);
    for (const { run = '' } of steps) expect(run).not.toContain('${{');
  });

  test('tests the package before it is packed, and publishes nothing', () => {
    expect(notes).toEqual([
      'npm ci --no-progress --ignore-scripts',
      'npm run --silent test:package',
      'npm pack --pack-destination release',
      'npm run --silent docs',
      expect.stringMatching(/^gh release create v1\.2\.3 --draft --verify-tag /),
    ]);
    expect(JSON.stringify(steps)).not.toContain('npm publish');
  });

  test('attaches the tarball, the site, every model, and their digests', () => {
    const files = ['SHA256SUMS', 'model-tiny.tar.gz', 'site-v1.2.3.tar.gz', 'swa-align-1.2.3.tgz'];
    expect(readdirSync(at('release')).sort()).toEqual(files);
    for (const file of files) expect(notes.at(-1)).toContain(`release/${file}`);
    const sums = readFileSync(at('release', 'SHA256SUMS'), 'utf8').trimEnd().split('\n');
    expect(sums.sort()).toEqual(
      files
        .slice(1)
        .map((file) => `${sha256File(at('release', file))}  ${file}`)
        .sort(),
    );
    const listed = spawnSync('tar', ['-tzf', at('release', 'model-tiny.tar.gz')], {
      encoding: 'utf8',
    });
    expect(listed.stdout.split('\n')).toContain('tiny/config.json');
  });

  test('a tag of another version stops it at once', () => {
    const check = steps.find(({ name }) => name === "The tag is the package's version")!;
    const again = (tag: string) =>
      spawnSync('bash', ['-e', '-c', check.run!], {
        cwd: dir,
        env: { ...process.env, GITHUB_REF_NAME: tag },
      }).status;
    expect([again('v1.2.3'), again('v1.2.4')]).toEqual([0, 1]);
  });
});
