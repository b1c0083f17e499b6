import { describe, expect, test } from 'vitest';
import type { TrainingEvent } from '../../train/events.ts';
import { openLiveLine } from './liveLine.ts';
import { duration, placeLines, progressLines, showProgress } from './progress.ts';

test.each([
  [0.2, '0 s'],
  [59.6, '1 min'],
  [75, '1 min 15 s'],
  [7380, '2 h 3 min'],
  [86_400 * 3 + 3600, '3 d 1 h'],
])('%d seconds are %s', (seconds, text) => {
  expect(duration(seconds)).toBe(text);
});

const started: TrainingEvent = {
  kind: 'started',
  step: 0,
  endStep: 40,
  stepsPerEpoch: 20,
  rows: [],
};

const step = (n: number): TrainingEvent => ({
  kind: 'step',
  step: n,
  epoch: 1 + Math.floor(n / 20),
  lr: 0.05,
  loss: 2.25,
});

/** Shows 30 steps of 4 seconds each and gives back what was written. */
function written(isTTY: boolean): string[] {
  const out: string[] = [];
  let clock = 0;
  const now = () => clock;
  const line = openLiveLine({ isTTY, columns: 60, write: (text) => out.push(text) }, now);
  const show = showProgress(line, now);
  show(started);
  for (let n = 0; n < 30; n++) {
    clock += 4;
    show(step(n));
  }
  line.clear();
  return out;
}

describe('progress', () => {
  test('is a plain line every ten seconds or so where nobody watches', () => {
    const lines = written(false);
    expect(lines).toHaveLength(11);
    expect(lines[0]).toBe('the first step …\n');
    expect(lines[1]).toBe(
      'epoch 1 [===                 ] 3/20  loss 2.2500  4.00 s/step  2 min 28 s left\n',
    );
    expect(lines.join('')).not.toContain('\r');
  });

  test('renews one line on a terminal, no wider than that, and takes it away', () => {
    const parts = written(true);
    expect(parts.at(-1)).toBe('\r\x1b[K');
    const lines = parts.filter((part) => part.startsWith('epoch'));
    expect(lines).toHaveLength(30);
    expect(lines[25]).toBe('epoch 2 6/20  loss 2.2500  4.00 s/step  56 s left');
  });
});

test('of a real run the time that is left is the last to go', () => {
  const whole: Extract<TrainingEvent, { kind: 'started' }> = {
    kind: 'started',
    step: 0,
    endStep: 78_200,
    stepsPerEpoch: 391,
    rows: [],
  };
  const at: Extract<TrainingEvent, { kind: 'step' }> = {
    kind: 'step',
    step: 62_889,
    epoch: 161,
    lr: 0.01,
    loss: 0.01234,
  };
  for (const columns of [20, 40, 60, 80, 120]) {
    let drawn = '';
    const line = openLiveLine({ isTTY: true, columns, write: (text) => (drawn += text) }, () => 0);
    line.show(progressLines(whole, at, 62_890));
    expect(drawn.length).toBeLessThan(columns);
    expect(drawn).toMatch(/4 h 15 min left$/);
  }
});

test('a stage says how many there are, and shorter which', () => {
  expect(placeLines(4, 16, 'vgg16 backward')).toEqual([
    '[=====               ] 5/16  vgg16 backward',
    '5/16  vgg16 backward',
    'vgg16 backward',
  ]);
});
