import { describe, expect, test } from 'vitest';
import * as errors from '../../../errors.ts';
import { received, sendable } from './errorCrossing.ts';

const cross = (thrown: unknown): Error => received(structuredClone(sendable(thrown)));

const detail = { where: 'a.npz', fix: 'mend it' };

/** One of every class of errors.ts that can be made in a thread: signals reach the main thread alone. */
const thrownOnes: readonly Error[] = [
  new errors.UsageError('is broken', detail),
  new errors.InputError('is broken', detail),
  new errors.DeviceError('is broken', detail),
  new errors.TrainingError('is broken', detail),
  new errors.GraphError('is broken', 'features.3'),
];

describe('an error that crosses between threads', () => {
  test.each(thrownOnes.map((e) => [e.name, e] as const))(
    '%s is one on the other side',
    (name, thrown) => {
      const arrived = cross(thrown);
      expect(arrived).toBeInstanceOf(thrown.constructor);
      expect(arrived).toEqual(thrown);
      expect(arrived.name).toBe(name);
      expect(arrived.stack).toBe(thrown.stack);
      const { where, fix, layer } = thrown as errors.UserError & errors.GraphError;
      expect(arrived).toMatchObject(
        thrown instanceof errors.UserError ? { where, fix } : { layer },
      );
    },
  );

  test('no class of them is forgotten', () => {
    const classes = Object.values(errors).filter((c) => c.prototype instanceof Error);
    const made = thrownOnes.map((e) => e.constructor);
    expect(new Set([...made, errors.UserError, errors.Interrupted])).toEqual(new Set(classes));
  });

  test('a user error without place or remedy gets none', () => {
    const arrived = cross(new errors.UsageError('no'));
    expect(arrived.message).toBe('no');
    expect(arrived).toMatchObject({ where: undefined, fix: undefined });
  });

  test('built-in errors, those of others and thrown values that are not errors', () => {
    expect(cross(new RangeError('far'))).toBeInstanceOf(RangeError);
    class Strange extends Error {
      override readonly name = 'Strange';
    }
    expect(cross(new Strange('thing'))).toMatchObject({ name: 'Strange', message: 'thing' });
    expect(cross('text').message).toBe('text');
  });
});
