import { amount, type DownloadEvent, mebibytes } from '../../data/download/events.ts';
import type { LiveLine } from './liveLine.ts';
import { bar, duration } from './progress.ts';

type Begun = Extract<DownloadEvent, { kind: 'begun' }>;
type Received = Extract<DownloadEvent, { kind: 'progress' }>;

/** How much of how much, pace, and the time that is left at this pace; then shorter ones. */
export function downloadLines(
  { received, total }: Received,
  from: number,
  seconds: number,
): string[] {
  const pace = (received - from) / Math.max(seconds, 0.001);
  const speed = `${mebibytes(pace)}/s`;
  const so = amount(received, total);
  if (total === undefined || total === 0) return [`${so}  ${speed}`, so];
  const left = pace > 0 ? [`${duration((total - received) / pace)} left`] : [];
  return [
    [`${bar(received / total, 20)} ${so}`, speed, ...left],
    [so, speed, ...left],
    [so, ...left],
    left.length > 0 ? left : [so],
  ].map((parts) => parts.join('  '));
}

/** The line that an event is worth by itself. */
function newsOf(event: DownloadEvent): string | undefined {
  switch (event.kind) {
    case 'damaged':
      return `${event.what}; it is fetched again`;
    case 'waiting':
      return `another process is downloading this; waiting for it (${event.lock})`;
    case 'begun':
      return event.from === 0
        ? `fetching ${event.url}${event.total === undefined ? '' : ` (${mebibytes(event.total)})`}`
        : `continuing ${event.url} after ${amount(event.from, event.total)}`;
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

/** Shows how far a download is. `now` in seconds. */
export function showDownload(
  line: LiveLine,
  now: () => number = () => performance.now() / 1000,
): (event: DownloadEvent) => void {
  let begun: { readonly event: Begun; readonly at: number } | undefined;
  return (event) => {
    const news = newsOf(event);
    if (news !== undefined) line.say(`swa-align: ${news}`);
    // A server that takes its time is seen to be waited for.
    if (event.kind === 'connecting') line.begin(`connecting to ${new URL(event.url).host}`);
    if (event.kind === 'begun') begun = { event, at: now() };
    if (event.kind === 'progress' && begun !== undefined) {
      line.show(downloadLines(event, begun.event.from, now() - begun.at));
    }
  };
}
