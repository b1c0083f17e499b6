import { tensor } from '../../tensor/tensor.ts';
import { counted } from '../../words.ts';
import type { RunSettings } from './settings.ts';
import type { Variant } from './variant.ts';

/** The rate of an epoch counted from 0; `step` is counted over the whole run. */
type Rate = (epoch: number, step: number) => number;

interface OtherRate {
  readonly key: string;
  /** `epoch` is the first, from 0, whose rate it changes. */
  readonly says: (epoch: number) => string;
  readonly rate: Rate;
  readonly freedom?: 1;
}

interface Fall {
  readonly from: number;
  readonly to: number;
  /** Epochs over which it stretches. */
  readonly over: number;
}

/** The SWA authors' schedule: flat for a half, then down in a line, and flat from nine tenths on. */
function rateAt(epoch: number, { from, to, over }: Fall): number {
  const t = epoch / over;
  if (t <= 0.5) return from;
  return t <= 0.9 ? from - ((from - to) * (t - 0.5)) / 0.4 : to;
}

const fallOf = ({ lrInit, swa, epochs }: RunSettings): Fall => ({
  from: lrInit,
  to: swa?.lr ?? lrInit / 100,
  over: swa?.start ?? epochs,
});

/** Without the last places, which the way of computing it leaves. */
const asRate = (x: number): string => String(Number(x.toPrecision(6)));

const same = (a: number, b: number): boolean => Math.abs(a - b) <= 1e-9 * Math.abs(b);

const mostShift = 3;

/** By how much classical schedules divide, and how often in a run. */
const divisors = [10, 5, 2];
const parts = [2, 3, 4];
const partWords = ['half time', 'each third of the run', 'each quarter of the run'];

function* others(run: RunSettings, ours: Float64Array): Generator<OtherRate> {
  const fall = fallOf(run);
  const { from, to, over } = fall;
  const { epochs, steps, swa } = run;
  const last = swa === undefined ? '1 % of lr_init' : 'swa_lr';
  const [first, end] = [ours[0], ours[ours.length - 1]];
  const done = Math.floor(run.from / steps);
  if (done > 0) {
    yield {
      key: 'rate anew',
      says: () =>
        `the learning rate of epoch 1 in epoch ${done + 1}: the schedule begins anew on resuming`,
      rate: (epoch) => rateAt(epoch - done, fall),
    };
  }
  for (let by = 1; by <= mostShift; by++) {
    for (const [way, sign] of [['late', -by] as const, ['early', by] as const]) {
      yield {
        key: `rate ${by} ${way}`,
        says: (epoch) =>
          `the learning rate of epoch ${epoch + 1 + sign} in epoch ${epoch + 1}: ${counted(by, 'epoch')} ${way}`,
        rate: (epoch) => rateAt(Math.max(0, epoch + sign), fall),
      };
    }
  }
  yield {
    key: 'rate per step',
    says: () => 'the learning rate moves on with each step, not with each epoch',
    rate: (_, step) => rateAt(step, fall),
  };
  yield {
    key: 'rate within epochs',
    says: () => 'the learning rate falls from step to step within an epoch',
    rate: (_, step) => rateAt(step / steps, fall),
  };
  yield {
    key: 'rate stays',
    says: () => `the learning rate stays at lr_init = ${from}: it does not fall`,
    rate: () => from,
  };
  for (let at = 1; at < epochs; at++) {
    yield {
      key: 'rate switched',
      says: () =>
        `the learning rate does not fall: it is lr_init until epoch ${at}, then at once ${last}`,
      rate: (epoch) => (epoch < at ? from : to),
    };
  }
  for (const by of divisors) {
    for (const [i, n] of parts.entries()) {
      yield {
        key: `rate steps ${by} ${n}`,
        says: () =>
          `the learning rate is divided by ${by} at ${partWords[i]}, the reference's falls in a line`,
        rate: (epoch) => from / by ** Math.floor((n * epoch) / epochs),
      };
    }
  }
  for (let n = 1; n <= 2 * epochs; n++) {
    const whole = n === epochs ? ': over all epochs' : '';
    yield {
      key: `rate over ${n}`,
      says: () =>
        `the learning rate falls over ${n} epochs, the reference's over ${swa === undefined ? `${over}` : `swa_start = ${over}`}${whole}`,
      rate: (epoch) => rateAt(epoch, { ...fall, over: n }),
    };
  }
  const isHundredth = swa !== undefined && same(end, from / 100);
  const endsAt = `ends at ${asRate(end)}, the reference's at ${last} = ${asRate(to)}`;
  const beginsAt = `begins at ${asRate(first)}, the reference's at lr_init = ${asRate(from)}`;
  yield {
    key: 'rate ends elsewhere',
    says: () =>
      `the learning rate ${endsAt}${isHundredth ? ': 1 % of lr_init, as without averaging' : ''}`,
    rate: (epoch) => rateAt(epoch, { ...fall, to: end }),
    freedom: 1,
  };
  yield {
    key: 'rate begins elsewhere',
    says: () => `the learning rate ${beginsAt}`,
    rate: (epoch) => rateAt(epoch, { ...fall, from: first }),
    freedom: 1,
  };
  if (same(first, from) || same(end, to)) return;
  yield {
    key: 'rate begins and ends elsewhere',
    says: () => `the learning rate ${beginsAt}; it ${endsAt}`,
    rate: (epoch) => rateAt(epoch, { ...fall, from: first, to: end }),
    freedom: 1,
  };
}

/** Learning rates by other schedules, a step a number, as long as `ours`. */
export function* rateVariants(run: RunSettings, ours: Float64Array): Generator<Variant> {
  const fall = fallOf(run);
  const epochOf = (i: number): number => Math.floor((run.from + i) / run.steps);
  for (const { key, says, rate, freedom } of others(run, ours)) {
    const values = ours.map((_, i) => rate(epochOf(i), run.from + i));
    const changed = values.findIndex((value, i) => !same(value, rateAt(epochOf(i), fall)));
    if (changed < 0) continue;
    yield {
      key,
      says: says(epochOf(changed)),
      value: tensor('float64', [values.length], values),
      ...(freedom && { freedom }),
    };
  }
}
