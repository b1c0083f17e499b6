import { amount, type DownloadEvent, mebibytes } from '../data/download/events.ts';
import { duration, type ProgressOutput } from './progress.ts';

/** Shows how far a download is: a bar that renews itself on a terminal, else a plain line now and then. */
export interface DownloadProgress {
  show(event: DownloadEvent): void;
  /** Takes the bar away, so that something else can be printed. */
  clear(): void;
}

const secondsBetweenPlainLines = 10;
const secondsBetweenRedraws = 0.1;
const barWidth = 20;

type Begun = Extract<DownloadEvent, { kind: 'begun' }>;
type Received = Extract<DownloadEvent, { kind: 'progress' }>;

const bar = (share: number): string => {
  const full = Math.floor(Math.min(share, 1) * barWidth);
  return `[${'='.repeat(full)}${' '.repeat(barWidth - full)}] `;
};

/** One line: how much of how much, pace, and the time that is left at this pace. */
export function downloadLine({ received, total }: Received, from: number, seconds: number): string {
  const pace = (received - from) / Math.max(seconds, 0.001);
  const speed = `${amount(received, total)}  ${mebibytes(pace)}/s`;
  if (total === undefined || total === 0) return speed;
  const left = pace > 0 ? `  ${duration((total - received) / pace)} left` : '';
  return `${bar(received / total)}${speed}${left}`;
}

/** The line that an event is worth by itself. */
function newsOf(event: DownloadEvent): string | undefined {
  switch (event.kind) {
    case 'damaged':
      return `${event.what}; it is made anew`;
    case 'waiting':
      return `another process is at this download; waiting for it (${event.lock})`;
    case 'begun':
      return event.from === 0
        ? `fetching ${event.url}${event.total === undefined ? '' : ` (${mebibytes(event.total)})`}`
        : `going on with ${event.url} after ${amount(event.from, event.total)}`;
    case 'broken': {
      const place = event.received > 0 ? ` after ${mebibytes(event.received)}` : '';
      return `the download broke off${place} (${event.why}); again in ${event.seconds} s`;
    }
    case 'unpacking':
      return `unpacking ${event.file}`;
    case 'installed':
      return `the data set is in ${event.folder}`;
    case 'connecting':
    case 'progress':
      return undefined;
  }
}

/** `now` in seconds. */
export function openDownloadProgress(
  out: ProgressOutput,
  now: () => number = () => performance.now() / 1000,
): DownloadProgress {
  const terminal = out.isTTY === true;
  let begun: { readonly event: Begun; readonly at: number } | undefined;
  let lastShown = Number.NEGATIVE_INFINITY;
  let drawn = false;
  const clear = (): void => {
    if (drawn) out.write('\r\x1b[K');
    drawn = false;
  };
  const draw = (line: string): void => {
    clear();
    out.write(line.slice(0, (out.columns ?? 80) - 1));
    drawn = true;
  };
  return {
    clear,
    show(event) {
      const at = now();
      const news = newsOf(event);
      if (news !== undefined) {
        clear();
        out.write(`swa-align: ${news}\n`);
      }
      // On a terminal a server that takes its time is seen to be waited for.
      if (event.kind === 'connecting' && terminal)
        draw(`connecting to ${new URL(event.url).host} …`);
      if (event.kind === 'begun') {
        begun = { event, at };
        lastShown = terminal ? Number.NEGATIVE_INFINITY : at;
      }
      if (event.kind !== 'progress' || begun === undefined) return;
      if (at - lastShown < (terminal ? secondsBetweenRedraws : secondsBetweenPlainLines)) return;
      lastShown = at;
      const line = downloadLine(event, begun.event.from, at - begun.at);
      if (terminal) draw(line);
      else out.write(`${line}\n`);
    },
  };
}
