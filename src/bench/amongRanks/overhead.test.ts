import { expect, test } from 'vitest';
import { againstPeer, overhead, overheadRows, type SideTimings } from './overhead.ts';

const timing = (...times: number[]) => ({ name: '', batch: 8, times });

const ours: SideTimings = {
  who: 'ours',
  ranks: 2,
  among: timing(120, 240, 110),
  apart: timing(100, 200, 100),
  mean: timing(10, 10, 10),
  exchanged: { ms: 12.34, bytes: 60_900_000 },
};
const peer: SideTimings = {
  who: 'PyTorch',
  ranks: 2,
  among: timing(150, 150, 110),
  apart: timing(100, 100, 100),
  mean: timing(5, 6, 7),
};

test('the overhead is taken turn by turn, and held against the peer’s of the same turn', () => {
  expect(overhead(ours).median).toBeCloseTo(1.2, 12);
  expect(overhead(ours).least).toBeCloseTo(1.1, 12);
  const { median, least, most } = againstPeer(ours, peer);
  expect(median).toBeCloseTo(0.8, 12);
  expect(least).toBeCloseTo(0.8, 12);
  expect(most).toBeCloseTo(1, 12);
});

test('the table: a row a side, ours held against the peer of as many ranks', () => {
  const alone = { ...ours, ranks: 4 };
  const broken = { ...peer, ranks: 4, apart: { ...timing(), failed: 'out of memory' } };
  expect(overheadRows([ours, peer, alone, broken])).toEqual([
    ['ranks', 'who', 'ms a step', 'apart', 'overhead', 'mean alone', 'in MPI', 'MB', '÷ peer'],
    ['2', 'ours', '120.0', '100.0', '1.20 (1.10–1.20)', '10.0', '12.3', '60.9', '0.80 (0.80–1.00)'],
    ['2', 'PyTorch', '150.0', '100.0', '1.50 (1.10–1.50)', '6.0', '', '', ''],
    ['4', 'ours', '120.0', '100.0', '1.20 (1.10–1.20)', '10.0', '12.3', '60.9', ''],
    ['4', 'PyTorch', 'failed', '', '', '', '', '', ''],
  ]);
});
