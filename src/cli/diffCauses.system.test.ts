/** What the mistake is, read in everything that `diff` writes: our own network with a mistake in every convolution's backward pass. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { XMLParser } from 'fast-xml-parser';
import { expect, it, vi } from 'vitest';
import type { Verdict } from '../align/judge/verdict.ts';
import { alteredBackend } from '../align/testdata/alteredBackend.ts';
import type * as choose from '../backends/choose.ts';
import * as judged from '../diagnose/judged.ts';
import { mul } from '../ir/build.ts';
import type { Node } from '../ir/node.ts';
import { run } from './run.ts';
import { commandTest } from './testdata/commandTest.ts';

vi.mock('../backends/choose.ts', async (original) => {
  const real = await original<typeof choose>();
  return {
    ...real,
    openOnDevice: async (...args: Parameters<typeof real.openOnDevice>) =>
      alteredBackend(await real.openOnDevice(...args), (node, operands) =>
        node.op === 'conv2dWeightGrad' ? mul({ ...node, inputs: operands } as Node, 2) : undefined,
      ),
  };
});
vi.mock('../diagnose/judged.ts', async (original) => {
  const real = await original<typeof judged>();
  return { ...real, diagnosedBy: vi.fn(real.diagnosedBy) };
});

const { dir, printed } = commandTest('causes');
const path = (name: string): string => join(dir, name);
const read = (name: string): string => readFileSync(path(name), 'utf8');

const cause = "2 × the reference's: twice: added up twice, or two for one";
const [first, names] = ['conv2d/weight.grad', 'conv2d/weight.grad and 6 more'];
const whole = new RegExp(`${cause} \\(explains 7 of \\d+ failing tensors, left \\d\\.\\de-\\d+\\)`);

it('nothing is looked into where nothing failed', async () => {
  expect(
    await run(['diff', 'loss', '--model', 'vgg16', '--out', path('right'), '--no-report']),
  ).toBe(0);
  expect(judged.diagnosedBy).not.toHaveBeenCalled();
});

it('is in the terminal, in the log and in every report', async () => {
  vi.stubEnv('GITHUB_ACTIONS', 'true');
  const files = ['json', 'junit', 'annotations'].flatMap((name) => [
    '--reporter',
    `${name}=${path(name)}`,
  ]);
  const argv = ['diff', 'ops', '--model', 'vgg16', '--out', path('out'), '--report', dir];
  expect(await run([...argv, ...files])).toBe(1);
  expect(judged.diagnosedBy).toHaveBeenCalledTimes(1);

  const terminal = printed.filter((line) => line.includes(cause));
  expect(terminal[0]).toContain(`      ✗ ${names}: `);
  expect(terminal[0]).toMatch(whole);
  const annotations = terminal.slice(1);
  expect(annotations).toHaveLength(1);
  expect(annotations[0]).toMatch(/^::error title=vgg16 ops%3A conv2d\/weight\.grad::/);
  expect(annotations[0]).toMatch(whole);
  expect(
    read('annotations')
      .split('\n')
      .filter((line) => line.includes(cause)),
  ).toEqual([annotations[0].trimEnd()]);

  const log = read('out/ops_diff.log')
    .split('\n')
    .filter((line) => line.includes(cause));
  expect(log).toHaveLength(1);
  expect(log[0]).toContain(`diagnosis: ${names}: ${cause} (explains 7 of`);

  expect(read('diff.html')).toContain(`<code>${first}</code> and 6 more: ${cause} (explains 7 of`);
  expect(read('diff.md')).toContain(`\`${first}\` and 6 more: ${cause} (explains 7 of`);

  const parser = new XMLParser({ ignoreAttributes: false, parseTagValue: false });
  const cases: { '@_name': string; failure?: { '@_message': string } }[] = parser.parse(
    read('junit'),
  ).testsuites.testsuite.testcase;
  expect(cases.filter(({ failure }) => failure?.['@_message'].startsWith(cause))).toHaveLength(7);

  const [{ stages }] = JSON.parse(read('json')).models;
  const told = (stages[0].verdicts as Verdict[]).filter((v) => v.cause?.says === cause);
  expect(told.map(({ name }) => name).slice(0, 2)).toEqual([
    first,
    'conv2d with stride/weight.grad',
  ]);
  for (const { cause: found } of told) {
    expect(found).toMatchObject({ hypothesis: 'factor', explains: 7 });
    expect(found?.left).toBeLessThan(5e-6);
  }
});
