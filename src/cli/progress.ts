import type { TrainingEvent } from '../train/events.ts';

/** What is written to: standard error, or a stand-in. */
export interface ProgressOutput {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

/** Shows how far a run is: a line that renews itself on a terminal, else a plain line now and then. */
export interface Progress {
  show(event: TrainingEvent): void;
  /** Takes the moving line away, so that something else can be printed. */
  clear(): void;
}

const secondsBetweenPlainLines = 10;
const secondsBetweenRedraws = 0.1;
const barWidth = 20;

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

type Started = Extract<TrainingEvent, { kind: 'started' }>;
type Step = Extract<TrainingEvent, { kind: 'step' }>;

const bar = (share: number): string => {
  const full = Math.floor(share * barWidth);
  return `[${'='.repeat(full)}${' '.repeat(barWidth - full)}]`;
};

/** One line: epoch, place in it, loss, pace, and the time to the end of the run at this pace. */
export function progressLine(
  { stepsPerEpoch, step: firstStep, endStep }: Started,
  { step, epoch, loss }: Step,
  elapsed: number,
): string {
  const inEpoch = (step % stepsPerEpoch) + 1;
  const pace = elapsed / (step + 1 - firstStep);
  const left = duration(pace * (endStep - step - 1));
  const place = `epoch ${epoch} ${bar(inEpoch / stepsPerEpoch)} ${inEpoch}/${stepsPerEpoch}`;
  return `${place}  loss ${loss.toFixed(4)}  ${pace.toPrecision(3)} s/step  ${left} left`;
}

/** `now` in seconds. */
export function openProgress(
  out: ProgressOutput,
  now: () => number = () => performance.now() / 1000,
): Progress {
  let started: { readonly event: Started; readonly at: number } | undefined;
  let lastShown = Number.NEGATIVE_INFINITY;
  let drawn = false;
  const clear = (): void => {
    if (drawn) out.write('\r\x1b[K');
    drawn = false;
  };
  return {
    clear,
    show(event) {
      if (event.kind === 'started') {
        started = { event, at: now() };
        // The first plain line comes after its interval, not with the first step.
        lastShown = out.isTTY === true ? Number.NEGATIVE_INFINITY : now();
      }
      if (event.kind !== 'step' || started === undefined) return;
      const at = now();
      if (
        at - lastShown <
        (out.isTTY === true ? secondsBetweenRedraws : secondsBetweenPlainLines)
      ) {
        return;
      }
      lastShown = at;
      const line = progressLine(started.event, event, at - started.at);
      if (out.isTTY === true) {
        clear();
        out.write(line.slice(0, (out.columns ?? 80) - 1));
        drawn = true;
      } else {
        out.write(`${line}\n`);
      }
    },
  };
}
