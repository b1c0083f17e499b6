import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { parse } from 'yaml';
import { root, say } from './pack.ts';

/* action.yml as a runner of GitHub carries it out: its steps in bash, with a `gh` that only notes what it is told. */

interface Step {
  readonly name: string;
  readonly id?: string;
  readonly if?: string;
  readonly shell: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly run: string;
}

const action: {
  readonly inputs: Readonly<
    Record<string, { readonly default?: string; readonly required?: boolean }>
  >;
  readonly outputs: Readonly<Record<string, { readonly value: string }>>;
  readonly runs: { readonly using: string; readonly steps: readonly Step[] };
} = parse(readFileSync(join(root, 'action.yml'), 'utf8'));

type Values = Readonly<Record<string, string>>;

const expression = /\$\{\{\s*([\w.-]+)\s*\}\}/g;
const filled = (text: string, values: Values): string =>
  text.replace(expression, (_, name: string) => values[name] ?? '');

/** Conditions of the kind that action.yml has: terms joined by `&&`. */
function holds(condition: string | undefined, values: Values, failed: boolean): boolean {
  if (condition === undefined) return !failed;
  return condition.split('&&').every((term) => {
    if (term.trim() === 'always()') return true;
    const [, name, operator, value] = /^\s*([\w.-]+) (==|!=) '([^']*)'\s*$/.exec(term) ?? [];
    if (name === undefined) throw new Error(`a condition of another kind: ${term}`);
    return ((values[name] ?? '') === value) === (operator === '==');
  });
}

let dir: string;
const at = (...names: string[]): string => join(dir, ...names);

/** `gh` notes its arguments and the body it is given, and lists the comments that a test says are there. */
const fakeGh = `#!/usr/bin/env bash
printf '%s\\n' "$*" >> "$GH_NOTES"
[ -n "$GH_FAILS" ] && exit 1
for word in "$@"; do
  case "$word" in body=@*) cp "\${word#body=@}" "$GH_BODY" ;; esac
done
case "$*" in *--paginate*) printf '%s' "$GH_COMMENTS" ;; esac
exit 0
`;

interface Ran {
  readonly code: number;
  readonly outputs: Values;
  readonly summary: string;
  /** What gh was called with, a line a call. */
  readonly calls: readonly string[];
  readonly body: string | undefined;
  readonly said: string;
}

/** Carries the steps out but for the installation, which one for all tests has made. */
function carriedOut(
  inputs: Values,
  { event = {}, gh = {} }: { event?: object; gh?: Values } = {},
): Ran {
  const own = mkdtempSync(at('job-'));
  const file = (name: string, text = ''): string => {
    writeFileSync(join(own, name), text);
    return join(own, name);
  };
  const [output, summary, notes] = ['output', 'summary', 'notes'].map((name) => file(name));
  const body = join(own, 'body');
  const env = {
    ...process.env,
    PATH: `${at('bin')}${delimiter}${process.env.PATH}`,
    RUNNER_TEMP: dir,
    GITHUB_ACTIONS: 'true',
    GITHUB_REPOSITORY: 'somebody/port',
    GITHUB_EVENT_PATH: file('event.json', JSON.stringify(event)),
    GITHUB_OUTPUT: output,
    GITHUB_STEP_SUMMARY: summary,
    GH_NOTES: notes,
    GH_BODY: body,
    GH_COMMENTS: '',
    GH_FAILS: '',
    ...gh,
  };
  const given: Values = {
    ...Object.fromEntries(
      Object.entries(action.inputs).map(([name, of]) => [name, of.default ?? '']),
    ),
    ...inputs,
  };
  let values: Values = Object.fromEntries(
    Object.entries(given).map(([name, value]) => [
      `inputs.${name}`,
      filled(value, { 'github.token': 'a-token' }),
    ]),
  );
  let [code, said] = [0, ''];
  for (const step of action.runs.steps) {
    if (step.name === 'Install' || !holds(step.if, values, code !== 0)) continue;
    expect(step.shell).toBe('bash');
    const stepEnv = Object.entries(step.env ?? {}).map(([name, text]) => [
      name,
      filled(text, values),
    ]);
    // As the runner calls it for `shell: bash`.
    const argv = ['--noprofile', '--norc', '-eo', 'pipefail', file(`${step.name}.sh`, step.run)];
    const { status, stdout, stderr } = spawnSync('bash', argv, {
      cwd: at('swa-align', 'example'),
      encoding: 'utf8',
      env: { ...env, ...Object.fromEntries(stepEnv) },
    });
    said += stdout + stderr;
    if (code === 0) code = status ?? -1;
    const told = readFileSync(output, 'utf8')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => /^(\w+)=(.*)$/.exec(line)!)
      .map(([, name, value]) => [`steps.${step.id}.outputs.${name}`, value]);
    if (step.id !== undefined) values = { ...values, ...Object.fromEntries(told) };
  }
  return {
    code,
    outputs: Object.fromEntries(
      Object.entries(action.outputs).map(([name, { value }]) => [name, filled(value, values)]),
    ),
    summary: readFileSync(summary, 'utf8'),
    calls: readFileSync(notes, 'utf8')
      .split('\n')
      .filter((line) => line !== ''),
    body: existsSync(body) ? readFileSync(body, 'utf8') : undefined,
    said,
  };
}

beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'swa-align-action-'));
  mkdirSync(at('bin'));
  writeFileSync(at('bin', 'gh'), fakeGh);
  chmodSync(at('bin', 'gh'), 0o755);
  const [install] = action.runs.steps;
  const { tarball } = inject('packed');
  writeFileSync(at('install.sh'), install.run);
  const { status, stderr } = spawnSync(
    'bash',
    ['--noprofile', '--norc', '-eo', 'pipefail', at('install.sh')],
    {
      encoding: 'utf8',
      env: { ...process.env, RUNNER_TEMP: dir, VERSION: '', PACKAGE: tarball },
    },
  );
  expect(status, stderr).toBe(0);
  // The example's own port records, right and with one of its mistakes.
  const example = at('swa-align', 'example');
  cpSync(join(root, 'examples', 'plain-typescript-adam'), example, { recursive: true });
  writeFileSync(
    join(example, 'save.ts'),
    `import { openReference } from 'swa-align';
import { run } from './port.ts';
await run(openReference('ref')).save('right.safetensors');
await run(openReference('ref'), 'eps inside the root').save('wrong.safetensors');\n`,
  );
  say(join(root, 'node_modules', '.bin', 'tsx'), ['save.ts'], example);
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const reference = 'ref';
const right = { recording: 'right.safetensors', reference };
const wrong = { recording: 'wrong.safetensors', reference };
const event = { pull_request: { number: 7 } };
const comments = 'repos/somebody/port/issues/7/comments';

describe('the action', () => {
  test('names in its scripts nothing but the environment: no input becomes a part of a script', () => {
    expect(action.runs.using).toBe('composite');
    for (const { run } of action.runs.steps) expect(run).not.toContain('${{');
  });

  test('passes a right recording; report, summary and comment are one text', () => {
    const ran = carriedOut(right, { event });
    expect(ran.code, ran.said).toBe(0);
    expect(ran.outputs.passed).toBe('true');
    const report = readFileSync(ran.outputs.report, 'utf8');
    expect(report).toMatch(/^## The port against PyTorch\n\n/);
    expect(ran.summary).toBe(report);
    expect(ran.body).toBe(`<!-- swa-align The%20port%20against%20PyTorch -->\n${report}`);
    expect(ran.calls).toHaveLength(2);
    expect(ran.calls[0]).toContain(`api --paginate ${comments} --jq`);
    expect(ran.calls[1]).toMatch(
      /^api --silent --method POST repos\/somebody\/port\/issues\/7\/comments -F body=@/,
    );
  });

  test('fails a wrong one with exit code 1, and its comment names the first tensor that is wrong', () => {
    const ran = carriedOut(wrong, { event });
    expect(ran.code, ran.said).toBe(1);
    expect(ran.outputs.passed).toBe('false');
    const report = readFileSync(ran.outputs.report, 'utf8');
    expect(report).toMatch(/\b[02]\.(weight|bias)\b/);
    expect([ran.summary, ran.body?.split('\n').slice(1).join('\n')]).toEqual([report, report]);
    expect(ran.said).toMatch(/^::error title=/m);
  });

  test('a later run changes the comment that is there', () => {
    const ran = carriedOut(right, { event, gh: { GH_COMMENTS: '4711\n4712\n' } });
    expect(ran.code, ran.said).toBe(0);
    expect(ran.calls[1]).toMatch(
      /^api --silent --method PATCH repos\/somebody\/port\/issues\/comments\/4711 -F body=@/,
    );
  });

  test.each<[string, Values, object]>([
    ['without a pull request', right, {}],
    ['where none is wanted', { ...right, comment: 'false' }, event],
  ])('%s there is no comment, and the summary all the same', (_, inputs, of) => {
    const ran = carriedOut(inputs, { event: of });
    expect([ran.code, ran.calls, ran.body]).toEqual([0, [], undefined]);
    expect(ran.summary).toContain('The port against PyTorch');
  });

  test('a token that may not comment is told by a warning, and decides nothing', () => {
    const ran = carriedOut(right, { event, gh: { GH_FAILS: '1' } });
    expect(ran.code).toBe(0);
    expect(ran.said).toContain('::warning title=swa-align::the comment could not be written');
  });

  test('limits and further arguments reach the judge', () => {
    expect(carriedOut({ ...wrong, ratio: '1e9' }).code).toBe(0);
    const only = carriedOut({ ...wrong, arguments: '--only\n0.output\n', title: 'Outputs' });
    expect(only.code, only.said).toBe(0);
    expect(only.summary).toMatch(/^## Outputs\n/);
  });

  test('a recording that is not there is bad usage: exit code 2, no report, no comment', () => {
    const ran = carriedOut({ recording: 'none.npz', reference }, { event });
    expect([ran.code, ran.outputs.report, ran.summary, ran.calls]).toEqual([2, '', '', []]);
    expect(ran.said).toContain('none.npz: no such file or directory');
  });
});
