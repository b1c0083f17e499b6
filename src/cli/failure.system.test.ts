import { describe, expect, it, vi } from 'vitest';
import { GraphError, InputError } from '../errors.ts';
import { reportFailure } from './failure.ts';
import { runProcess } from './testdata/commandProcess.ts';
import { commandTest } from './testdata/commandTest.ts';

const { errors } = commandTest('failure');

describe('reportFailure', () => {
  it('tells a mistake of the user as it is', () => {
    expect(reportFailure('x', new InputError('is empty', { where: 'a.npz' }))).toBe(2);
    expect(errors).toEqual(['x: a.npz: is empty']);
  });

  it.each([
    [new GraphError('shapes\n  do not fit'), 'GraphError: shapes do not fit'],
    [new TypeError('x is undefined'), 'TypeError: x is undefined'],
    ['a text', 'string: a text'],
  ])('tells a fault of ours in one line, the way to report it with it: %s', (error, line) => {
    vi.stubEnv('SWA_ALIGN_DEBUG', '');
    expect(reportFailure('x', error)).toBe(70);
    expect(errors).toEqual([
      `x: a fault of x's own, please report it: ${line}; SWA_ALIGN_DEBUG=1 shows where`,
    ]);
  });

  it('shows where, if that is wanted', () => {
    vi.stubEnv('SWA_ALIGN_DEBUG', '1');
    expect(reportFailure('x', new TypeError('y'))).toBe(70);
    expect(errors[0].split('\n')[0]).toBe("x: a fault of x's own, please report it: TypeError: y");
    expect(errors[0]).toContain('failure.system.test.ts');
  });
});

it('an error that nobody waited for ends the process so, too', async () => {
  const script = `
    import { reportUncaught } from './src/cli/failure.ts';
    reportUncaught('x');
    setInterval(() => {}, 1000);
    Promise.reject(new RangeError('late'));`;
  const flags = ['--import', 'tsx', '--input-type=module', '--eval', script];
  expect(await runProcess([process.execPath, ...flags])).toEqual({
    code: 70,
    stdout: '',
    stderr:
      "x: a fault of x's own, please report it: RangeError: late; SWA_ALIGN_DEBUG=1 shows where\n",
  });
});
