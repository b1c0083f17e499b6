import { describe, expect, test } from 'vitest';
import type { LogRow } from '../../train/logRow.ts';
import { epochLines, hasHeader, logHeader, logLine, resumedLog } from './trainLog.ts';

/** Lines of the log that the Paddle port of SWA published, written by Python's tabulate. */
const original = `
----  --------  ---------  --------  ---------  --------  -------------  ------------  --------
  ep        lr    tr_loss    tr_acc    te_loss    te_acc  swa_te_loss    swa_te_acc        time
----  --------  ---------  --------  ---------  --------  -------------  ------------  --------
   1    0.0500     2.1163   17.1620     1.9430   19.6200                                13.0776
   2    0.0500     1.8816   21.9780                                                     11.6905
----  --------  ---------  --------  ---------  --------  -------------  ------------  --------
  ep        lr    tr_loss    tr_acc  te_loss    te_acc    swa_te_loss    swa_te_acc        time
----  --------  ---------  --------  ---------  --------  -------------  ------------  --------
 161    0.0100     0.0539   98.2500                                                     10.4026
 165    0.0100     0.0518   98.3340     0.3594   90.9600         0.2752       93.0000   15.0100`
  .trim()
  .split('\n');

type Numbers = [epoch: number, lr: number, trainLoss: number, trainAccuracy: number];

const row = (
  [epoch, lr, trainLoss, trainAccuracy]: Numbers,
  rest: Partial<LogRow> = {},
): LogRow => ({
  epoch,
  lr,
  trainLoss,
  trainAccuracy,
  ...rest,
});

const rows: readonly (readonly [LogRow, seconds: number])[] = [
  [row([1, 0.05, 2.1163, 17.162], { testLoss: 1.943, testAccuracy: 19.62 }), 13.0776],
  [row([2, 0.05, 1.8816, 21.978]), 11.6905],
  [row([161, 0.01, 0.0539, 98.25]), 10.4026],
  [
    row([165, 0.01, 0.0518, 98.334], {
      testLoss: 0.3594,
      testAccuracy: 90.96,
      swaTestLoss: 0.2752,
      swaTestAccuracy: 93,
    }),
    15.01,
  ],
];

test('the lines are those of the original log', () => {
  const lines = rows.flatMap(([r, seconds]) => [
    ...(hasHeader(r) ? logHeader(r, true, seconds) : []),
    logLine(r, true, seconds),
  ]);
  expect(lines).toEqual(original);
});

test('plain SGD has no columns of the average', () => {
  const [[first, seconds]] = rows;
  expect([...logHeader(first, false), logLine(first, false, seconds)]).toEqual([
    '----  --------  ---------  --------  ---------  --------  --------',
    '  ep        lr    tr_loss    tr_acc    te_loss    te_acc      time',
    '----  --------  ---------  --------  ---------  --------  --------',
    '   1    0.0500     2.1163   17.1620     1.9430   19.6200   13.0776',
  ]);
});

test('a number in the middle is rounded to the even neighbour, as Python does', () => {
  // 127 of 128 is 99.21875 % exactly; Python: '%.4f' % 99.21875 == '99.2188', % 0.03125 == '0.0312'.
  expect(logLine(row([9, 0.05, 0.03125, 99.21875]), true)).toBe(
    '   9    0.0500     0.0312   99.2188',
  );
});

describe('the log of a resumed run', () => {
  const log = rows.map(([r]) => r);

  test('keeps the times of the lines that are there', () => {
    expect(resumedLog(log, true, original.join('\n'))).toEqual(original);
  });

  test('drops lines of epochs that the checkpoint does not have', () => {
    expect(resumedLog(log.slice(0, 1), true, original.join('\n'))).toEqual(original.slice(0, 4));
  });

  test('leaves the time blank where a line is missing or tells something else', () => {
    const earlier = original.join('\n').replace('1.8816', '1.9999');
    const lines = resumedLog(log, true, earlier);
    expect(lines[4]).toBe('   2    0.0500     1.8816   21.9780');
    expect(lines.with(4, original[4])).toEqual(original);
  });
});

describe('an epoch at a terminal', () => {
  const lines = (width: number): string[] =>
    rows.flatMap(([of, seconds]) => epochLines(of, true, seconds, width));

  test('is what the log has where there is room', () => {
    const logged = rows.flatMap(([of, seconds]) => [
      ...(hasHeader(of) ? logHeader(of, true, seconds) : []),
      logLine(of, true, seconds),
    ]);
    expect(lines(Number.POSITIVE_INFINITY)).toEqual(logged);
    expect(lines(100)).toEqual(logged);
  });

  test.each([80, 60, 40])('fits in %d columns, the average’s accuracy last to go', (width) => {
    const shown = lines(width);
    for (const line of shown) expect(line.length).toBeLessThanOrEqual(width);
    expect(shown[1]).toMatch(/^ {2}ep .*swa_te_acc/);
    expect(shown.at(-1)).toMatch(/^ 165 .*93\.0000/);
  });
});
