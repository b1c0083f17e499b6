import { describe, expect, test } from 'vitest';
import { UsageError } from '../../errors.ts';
import { type Distribution, resumedDistribution } from './distribution.ts';

const began: Distribution = { ranks: 2, reduce: 'fast', rankSeeds: 'offset' };

describe('a run goes on among ranks', () => {
  test.each<[string, Distribution | undefined, Distribution | undefined]>([
    ['as it began', began, { ...began }],
    ['alone, as it began', undefined, undefined],
  ])('%s', (_, before, now) => {
    expect(() => resumedDistribution(before, now, 'a.ckpt')).not.toThrow();
  });

  test.each<[Distribution | undefined, Distribution | undefined, RegExp]>([
    [
      began,
      undefined,
      /^a\.ckpt: the run began on 2 ranks, not in one process alone; start it by mpirun -np 2 and/,
    ],
    [undefined, began, /began in one process alone, not on 2 ranks; start it without mpirun/],
    [began, { ...began, ranks: 3 }, /began on 2 ranks, not on 3 ranks/],
    [
      began,
      { ...began, reduce: 'exact' },
      /began with --reduce fast, not exact; give --reduce fast/,
    ],
    [began, { ...began, rankSeeds: 'same' }, /began with --rank-seeds offset, not same/],
  ])('not otherwise: %j → %j', (before, now, message) => {
    const goOn = () => resumedDistribution(before, now, 'a.ckpt');
    expect(goOn).toThrow(UsageError);
    expect(goOn).toThrow(message);
  });
});
