import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { install, root, say } from './pack.ts';
import { chromiumPath } from './support/chromium.ts';

/* Each example alone in a folder of its own, with the package from its tarball, as somebody would try it. */

interface Report {
  readonly success: boolean;
  readonly numTotalTests: number;
  readonly numPassedTests: number;
  readonly testResults: readonly { readonly name: string }[];
}

const examples = readdirSync(join(root, 'examples')).filter((name) =>
  existsSync(join(root, 'examples', name, 'package.json')),
);

test('there are examples', () => {
  expect(examples.length).toBeGreaterThanOrEqual(4);
});

describe.each(examples)('examples/%s', (name) => {
  let dir: string;
  const needsBrowser = name.startsWith('browser-');

  beforeAll(() => {
    dir = mkdtempSync(join(tmpdir(), `swa-align-${name}-`));
    cpSync(join(root, 'examples', name), dir, {
      recursive: true,
      filter: (path) => basename(path) !== 'node_modules',
    });
    install(dir, inject('packed').tarball);
  });
  afterAll(() => rmSync(dir, { recursive: true, force: true }));

  test.skipIf(needsBrowser && chromiumPath === undefined)(
    `passes its tests on its own${needsBrowser ? ' (needs Chromium)' : ''}`,
    () => {
      const file = join(dir, 'report.json');
      say(
        'npm',
        ['test', '--', '--reporter=default', '--reporter=json', `--outputFile=${file}`],
        dir,
      );
      const report = JSON.parse(readFileSync(file, 'utf8')) as Report;
      expect(report.success).toBe(true);
      expect(report.numPassedTests).toBeGreaterThanOrEqual(3);
      expect(report.numPassedTests).toBe(report.numTotalTests);
      const files = readdirSync(dir).filter((path) => /\.(test|browser)\.ts$/.test(path));
      expect(report.testResults.map((ran) => basename(ran.name)).sort()).toEqual(files.sort());
    },
  );
});
