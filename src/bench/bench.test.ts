import { describe, expect, test } from 'vitest';
import { DeviceError } from '../errors.ts';
import { type Contestant, median, speedAgainst, takeTurns } from './measure.ts';
import { failures, markdownTable, tableRows } from './table.ts';

const timing = (name: string, batch: number, ...times: number[]) => ({ name, batch, times });

test('the median of an odd and an even number', () => {
  expect(median([3, 1, 2])).toBe(2);
  expect(median([4, 1, 3, 2])).toBe(2.5);
});

test('speeds are compared turn by turn', () => {
  const speed = speedAgainst(timing('a', 1, 10, 20, 40), timing('b', 1, 5, 20, 80));
  expect(speed).toEqual({ median: 1, least: 0.5, most: 2 });
});

describe('turns', () => {
  const calls: string[] = [];
  const contestant = (name: string, failsAt = Number.POSITIVE_INFINITY): Contestant => {
    let made = 0;
    return {
      name,
      async block(batch, steps) {
        calls.push(`${name} ${batch}x${steps}`);
        if (++made >= failsAt) throw new DeviceError('out of memory');
        return made;
      },
    };
  };

  test('alternate, warm-up is not counted, and who fails does not stop the others', async () => {
    const timings = await takeTurns([contestant('a'), contestant('b', 3)], 8, {
      runs: 2,
      warmup: 1,
      steps: 5,
    });
    expect(calls).toEqual(['a 8x5', 'b 8x5', 'a 8x5', 'b 8x5', 'a 8x5', 'b 8x5']);
    expect(timings).toEqual([
      { name: 'a', batch: 8, times: [2, 3] },
      { name: 'b', batch: 8, times: [2], failed: 'out of memory' },
    ]);
    expect(failures(timings)).toEqual(['b, batch 8: out of memory']);
  });

  test('a mistake in the program is no failure of a contestant', async () => {
    const broken: Contestant = { name: 'c', block: () => Promise.reject(new TypeError('bug')) };
    await expect(takeTurns([broken], 8, { runs: 1, warmup: 0, steps: 1 })).rejects.toThrow('bug');
  });
});

test('the table: speeds as multiples of the peer at the same batch size', () => {
  const timings = [
    timing('ours', 128, 50, 100),
    timing('PyTorch fp32', 128, 100, 100),
    { ...timing('ours', 512), failed: 'out of memory' },
    timing('PyTorch fp32', 512, 400, 400),
  ];
  const rows = tableRows(timings, 'PyTorch fp32');
  expect(rows).toEqual([
    ['batch', 'who', 'ms a step', 'images/s', 'speed × PyTorch fp32', 'range'],
    ['128', 'ours', '75.00', '1706.7', '1.50', '1.00–2.00'],
    ['128', 'PyTorch fp32', '100', '1280.0', '1.00', '1.00–1.00'],
    ['512', 'ours', 'failed', '', '', ''],
    ['512', 'PyTorch fp32', '400', '1280.0', '1.00', '1.00–1.00'],
  ]);
  const lines = markdownTable(rows).split('\n');
  expect(lines).toHaveLength(6);
  expect(new Set(lines.map((line) => line.length)).size).toBe(1);
  expect(tableRows(timings.slice(0, 1), undefined)[1]).toEqual(['128', 'ours', '75.00', '1706.7']);
});

test('a thousandth of a speed is shown, not rounded away', () => {
  const rows = tableRows([timing('slow', 2, 80_000), timing('peer', 2, 48)], 'peer');
  expect(rows[1].slice(3)).toEqual(['0.025', '0.00060', '0.00060–0.00060']);
});
