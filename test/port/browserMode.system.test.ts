import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { chromiumPath } from '../support/chromium.ts';

/* The matcher in a page: vitest's browser mode on the example's own file, in a vitest of its own. */

const example = fileURLToPath(new URL('../../examples/browser-mobile-block', import.meta.url));
const vitest = join(
  dirname(createRequire(import.meta.url).resolve('vitest/package.json')),
  'vitest.mjs',
);

interface Ran {
  readonly status: number | null;
  /** Title of a test → what it failed by; '' where it passed. */
  readonly tests: Readonly<Record<string, string>>;
  readonly output: string;
}

interface Report {
  readonly testResults: readonly {
    readonly assertionResults: readonly {
      readonly title: string;
      readonly status: string;
      readonly failureMessages: readonly string[];
    }[];
  }[];
}

function inBrowserMode(mistake: string): Ran {
  const directory = mkdtempSync(join(tmpdir(), 'swa-align-browser-mode-'));
  try {
    const file = join(directory, 'report.json');
    // The vitest that runs this file tells its children about itself.
    const own = Object.entries(process.env).filter(([name]) => !name.startsWith('VITEST'));
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      [vitest, 'run', '--project=browser', '--reporter=json', `--outputFile=${file}`],
      {
        cwd: example,
        encoding: 'utf8',
        env: {
          ...Object.fromEntries(own),
          CHROMIUM: chromiumPath,
          MISTAKE: mistake,
        },
      },
    );
    const output = `${stdout}${stderr}`;
    const { testResults } = JSON.parse(readFileSync(file, 'utf8')) as Report;
    const tests = testResults.flatMap(({ assertionResults }) =>
      assertionResults.map(
        ({ title, status, failureMessages }) =>
          [title, status === 'passed' ? '' : `${status}: ${failureMessages.join('\n')}`] as const,
      ),
    );
    return { status, tests: Object.fromEntries(tests), output };
  } finally {
    rmSync(directory, { recursive: true });
  }
}

const whole = 'the port aligns with PyTorch';
const one = 'the first activation does';
const laidOut = 'a tensor of TensorFlow.js is judged as it is, in its own layout';

describe.skipIf(chromiumPath === undefined)('vitest’s browser mode (needs Chromium)', () => {
  it('passes by toAlignWith where the port is right', () => {
    const { status, tests, output } = inBrowserMode('none');
    expect(tests, output).toEqual({ [whole]: '', [one]: '', [laidOut]: '' });
    expect(status).toBe(0);
  });

  it('fails by it where the port is wrong, and the message names the layer', () => {
    const { status, tests, output } = inBrowserMode('swish');
    expect(status, output).toBe(1);
    expect(tests[whole]).toMatch(/^failed: (Error: )?9 of 11 tensors do not align with PyTorch/);
    for (const title of [whole, one]) {
      expect(tests[title]).toMatch(
        /✗ stem\.act\.output: SiLU \(swish\) is computed, the reference's is hardswish \(.*\)\n {2}made by stem\.act: Hardswish\(\)\n/,
      );
    }
    expect(tests[laidOut]).toBe('');
  });
});
