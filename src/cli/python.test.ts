import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { fixturesDirectory } from '../fixtures.ts';
import { run } from './run.ts';
import { commandTest } from './testdata/commandTest.ts';

const { printed, errors } = commandTest('python');

test('recorder prints the recorder, to the byte', async () => {
  expect(await run(['recorder'])).toBe(0);
  expect(printed.join('')).toBe(readFileSync(join(fixturesDirectory, 'recorder.py'), 'utf8'));
});

test('python lists programs, and says where each lies', async () => {
  expect(await run(['python'])).toBe(0);
  const [table] = printed.splice(0).join('').split('\n\n');
  const names = table.split('\n').map((line) => /^(\w+) {2,}\S.*\.$/.exec(line)?.[1] ?? line);
  expect(names).toContain('check_in_torch');
  // Modules for others are no programs.
  expect(names).not.toContain('recorder');
  for (const name of names) {
    expect(await run(['python', name])).toBe(0);
    expect(existsSync(printed.splice(0).join('').trim()), name).toBe(true);
  }
});

test('an unknown name is answered with those there are', async () => {
  expect(await run(['python', 'check'])).toBe(2);
  expect(errors.join()).toMatch(/no Python program "check"; choose from check_in_torch,/);
});
