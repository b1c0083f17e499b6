import { describe, expect, test } from 'vitest';
import { InputError, UsageError } from '../errors.ts';
import { AgreedError, agree, checkSame } from './agree.ts';
import type { Communicator } from './communicator.ts';
import { ranksInProcess } from './ranksInProcess.ts';

/** What each of three ranks says in the end. */
const onThree = async (of: (comm: Communicator) => Promise<unknown>): Promise<unknown[]> =>
  Promise.all(ranksInProcess(3).map((comm) => of(comm).catch((error: Error) => error)));

describe('ranks agree', () => {
  test('when all succeed, each on its own result', async () => {
    expect(await onThree((comm) => agree(comm, () => comm.rank * 2))).toEqual([0, 2, 4]);
  });

  test('on the first of their failures, and whose it is', async () => {
    const found = await onThree((comm) =>
      agree(comm, () => {
        if (comm.rank === 1) throw new InputError('is gone', { where: 'a.bin' });
        if (comm.rank === 2) throw new UsageError('is none');
      }),
    );
    for (const error of found) {
      expect(error).toBeInstanceOf(AgreedError);
      expect(String(error)).toMatch(/^AgreedError: rank 1 of 3 on [^ ]+: a\.bin: is gone$/);
    }
  });

  test('not on a fault of ours, which only its own rank knows of', async () => {
    const [comm] = ranksInProcess(1);
    const fault = agree(comm, () => {
      throw new TypeError('x is not a function');
    });
    await expect(fault).rejects.toThrow(TypeError);
  });

  test('that all have the same, or who has not', async () => {
    const same = (data: (rank: number) => string) =>
      onThree((comm) =>
        checkSame(comm, { version: '1', data: data(comm.rank) }, { fix: 'mend it' }),
      );
    expect(await same(() => 'a')).toEqual([undefined, undefined, undefined]);
    for (const error of await same((rank) => (rank === 2 ? 'b' : 'a'))) {
      expect(String(error)).toMatch(/rank 2 of 3 on .*: has not rank 0's data; mend it$/);
    }
  });
});
