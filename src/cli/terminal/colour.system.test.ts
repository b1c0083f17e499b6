import { stripVTControlCharacters } from 'node:util';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { ourCommand, runProcess } from '../testdata/commandProcess.ts';
import { painted } from './colour.ts';

const text = [
  '  ✓ forward  40 checked',
  '  ✗ loss     1 failed',
  '  ·  a … d: 4 tensors inherit it',
  '  ~  b',
  'all 2 stages passed',
  'failed: vgg16 loss',
  'nothing ✓ of ✗ note',
].join('\n');

afterEach(() => vi.unstubAllEnvs());
const env = (variables: Record<string, string | undefined>): void => {
  for (const name of ['NO_COLOR', 'FORCE_COLOR', 'TERM']) vi.stubEnv(name, variables[name]);
};

describe('painted', () => {
  it.each([
    [true, {}, true],
    [false, {}, false],
    [true, { TERM: 'dumb' }, false],
    [true, { NO_COLOR: '1' }, false],
    [true, { NO_COLOR: '' }, true],
    [false, { FORCE_COLOR: '1' }, true],
    [false, { FORCE_COLOR: '' }, true],
    [true, { FORCE_COLOR: '0' }, false],
    [true, { FORCE_COLOR: '1', NO_COLOR: '1' }, true],
  ])('on a terminal: %j, with %j: colours %j', (isTTY, variables, coloured) => {
    env(variables);
    const shown = painted(text, { isTTY });
    expect(stripVTControlCharacters(shown)).toBe(text);
    expect(shown !== text).toBe(coloured);
    // A verdict and no word that happens to be like it.
    if (coloured) expect(shown.split('\n').filter((l) => l.includes('\x1b'))).toHaveLength(6);
  });
});

it('a command in a pipe has no colours unless they are asked for', async () => {
  const argv = [...ourCommand, 'compare', ...Array(2).fill('fixtures/inputs/fake_label.npy')];
  const plain = await runProcess(argv, { env: { FORCE_COLOR: undefined } });
  expect(plain).toMatchObject({ code: 0, stdout: expect.not.stringContaining('\x1b') });
  const forced = await runProcess(argv, { env: { FORCE_COLOR: '1' } });
  expect(forced.stdout).toContain('\x1b[32m1 tensor aligned with\x1b[39m B');
});
