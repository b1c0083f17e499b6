import type { TrainingEvent } from '../../train/events.ts';
import type { LiveLine } from './liveLine.ts';

/** 75 → "1 min 15 s", 7380 → "2 h 3 min". */
export function duration(seconds: number): string {
  const whole = Math.round(seconds);
  const units = [
    [Math.floor(whole / 86_400), 'd'],
    [Math.floor(whole / 3600) % 24, 'h'],
    [Math.floor(whole / 60) % 60, 'min'],
    [whole % 60, 's'],
  ] as const;
  const first = units.findIndex(([n]) => n > 0);
  if (first < 0) return '0 s';
  return units
    .slice(first, first + 2)
    .filter(([n]) => n > 0)
    .map(([n, unit]) => `${n} ${unit}`)
    .join(' ');
}

/** `[=====     ]`, the share of 1 that is done. */
export function bar(share: number, width: number): string {
  const full = Math.floor(Math.min(share, 1) * width);
  return `[${'='.repeat(full)}${' '.repeat(width - full)}]`;
}

/** The part of a whole that begins after `done` others, and shorter. */
export const placeLines = (done: number, total: number, what: string): string[] => [
  `${bar(done / total, 20)} ${done + 1}/${total}  ${what}`,
  `${done + 1}/${total}  ${what}`,
  what,
];

type Started = Extract<TrainingEvent, { kind: 'started' }>;
type Step = Extract<TrainingEvent, { kind: 'step' }>;

/**
 * One line: epoch, place in it, loss, pace, and the time to the end of the run at this pace; then shorter ones,
 * which keep that time longest.
 */
export function progressLines(
  { stepsPerEpoch, step: firstStep, endStep }: Started,
  { step, epoch, loss }: Step,
  elapsed: number,
): string[] {
  const inEpoch = (step % stepsPerEpoch) + 1;
  const pace = elapsed / (step + 1 - firstStep);
  const place = (width: number): string =>
    `epoch ${epoch} ${width === 0 ? '' : `${bar(inEpoch / stepsPerEpoch, width)} `}${inEpoch}/${stepsPerEpoch}`;
  const lossNow = `loss ${loss.toFixed(4)}`;
  const speed = `${pace.toPrecision(3)} s/step`;
  const left = `${duration(pace * (endStep - step - 1))} left`;
  return [
    [place(20), lossNow, speed, left],
    [place(10), lossNow, speed, left],
    [place(0), lossNow, speed, left],
    [place(0), lossNow, left],
    [place(0), left],
    [left],
  ].map((parts) => parts.join('  '));
}

/** Shows how far a run is. `now` in seconds. */
export function showProgress(
  line: LiveLine,
  now: () => number = () => performance.now() / 1000,
): (event: TrainingEvent) => void {
  let started: { readonly event: Started; readonly at: number } | undefined;
  return (event) => {
    if (event.kind === 'started') {
      started = { event, at: now() };
      line.begin('the first step');
    }
    if (event.kind === 'step' && started !== undefined) {
      line.show(progressLines(started.event, event, now() - started.at));
    }
  };
}
