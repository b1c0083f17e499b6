import { describe, expect, test } from 'vitest';
import * as errors from '../../errors.ts';
import { received, sendable } from './errorCrossing.ts';

const cross = (thrown: unknown): Error => received(structuredClone(sendable(thrown)));

/** Every class of errors.ts that can be made in a thread: signals reach the main thread alone. */
const classes = Object.values(errors).filter(
  (c) => c !== errors.UserError && c !== errors.Interrupted,
) as (new (
  what: string,
  detail?: errors.ErrorDetail,
) => Error)[];

describe('an error that crosses between threads', () => {
  test.each(classes.map((c) => [c.name, c] as const))('%s is one on the other side', (name, c) => {
    const thrown = new c('is broken', { where: 'a.npz', fix: 'mend it' });
    const arrived = cross(thrown);
    expect(arrived).toBeInstanceOf(c);
    expect(arrived).toEqual(thrown);
    expect(arrived.name).toBe(name);
    expect(arrived.stack).toBe(thrown.stack);
    const { where, fix } = thrown as errors.UserError;
    expect(arrived).toMatchObject(thrown instanceof errors.UserError ? { where, fix } : {});
  });

  test('a user error without place or remedy gets none', () => {
    const arrived = cross(new errors.UsageError('no'));
    expect(arrived.message).toBe('no');
    expect(arrived).toMatchObject({ where: undefined, fix: undefined });
  });

  test('built-in errors, those of others and what is no error', () => {
    expect(cross(new RangeError('far'))).toBeInstanceOf(RangeError);
    class Strange extends Error {
      override readonly name = 'Strange';
    }
    expect(cross(new Strange('thing'))).toMatchObject({ name: 'Strange', message: 'thing' });
    expect(cross('text').message).toBe('text');
  });
});
