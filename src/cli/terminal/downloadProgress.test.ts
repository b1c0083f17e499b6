import { beforeEach, describe, expect, test } from 'vitest';
import type { DownloadEvent } from '../../data/download/events.ts';
import { downloadLines, showDownload } from './downloadProgress.ts';
import { openLiveLine } from './liveLine.ts';

const mebi = 2 ** 20;
const url = 'https://example.org/data/x.tar.gz';

let text: string;
let now: number;
beforeEach(() => {
  text = '';
  now = 100;
});

function open(isTTY: boolean, columns = 80) {
  const write = (written: string): void => {
    text += written;
  };
  const line = openLiveLine({ isTTY, columns, write }, () => now);
  return { show: showDownload(line, () => now), clear: line.clear };
}

const progress = (received: number, total: number | undefined = 160 * mebi): DownloadEvent => ({
  kind: 'progress',
  received,
  total,
});

describe('the line', () => {
  test('amount, pace and the time that is left, of this connection', () => {
    const event = { kind: 'progress', received: 80 * mebi, total: 160 * mebi } as const;
    expect(downloadLines(event, 60 * mebi, 10)[0]).toBe(
      '[==========          ] 80.0 of 160.0 MiB  2.0 MiB/s  40 s left',
    );
  });

  test('of a length that nobody knows', () => {
    const event = { kind: 'progress', received: mebi, total: undefined } as const;
    expect(downloadLines(event, 0, 2)).toEqual(['1.0 MiB  0.5 MiB/s', '1.0 MiB']);
  });

  test('before anything has come, and past the end', () => {
    const event = (received: number) => ({ kind: 'progress', received, total: 10 }) as const;
    expect(downloadLines(event(0), 0, 0)[0]).toMatch(/^\[ +\]/);
    expect(downloadLines(event(20), 0, 1)[0]).toMatch(/^\[=+\]/);
  });

  test('is shorter on a narrow terminal, and tells the time that is left longest', () => {
    const event = { kind: 'progress', received: 80 * mebi, total: 160 * mebi } as const;
    const lines = downloadLines(event, 60 * mebi, 10);
    expect(lines.every((line) => line.endsWith('40 s left'))).toBe(true);
    expect(lines.at(-1)).toBe('40 s left');
  });
});

const story: readonly DownloadEvent[] = [
  { kind: 'damaged', what: 'dir: a.bin is missing' },
  { kind: 'waiting', lock: 'x.lock' },
  { kind: 'connecting', url },
  { kind: 'begun', url, from: 0, total: 160 * mebi },
  progress(0),
  progress(40 * mebi),
  { kind: 'broken', why: 'terminated', received: 40 * mebi, seconds: 1 },
  { kind: 'connecting', url },
  { kind: 'begun', url, from: 40 * mebi, total: 160 * mebi },
  progress(100 * mebi),
  { kind: 'unpacking', file: 'x.tar.gz' },
  { kind: 'installed', folder: 'dir' },
];

test('plain lines tell the same story, one of progress in ten seconds', () => {
  const shown = open(false);
  for (const event of story) {
    shown.show(event);
    now += 6;
  }
  expect(text).toBe(
    [
      'swa-align: dir: a.bin is missing; it is fetched again',
      'swa-align: another process is downloading this; waiting for it (x.lock)',
      'connecting to example.org …',
      `swa-align: fetching ${url} (160.0 MiB)`,
      '[=====               ] 40.0 of 160.0 MiB  3.3 MiB/s  36 s left',
      'swa-align: the download broke off after 40.0 MiB (terminated); again in 1 s',
      'connecting to example.org …',
      `swa-align: continuing ${url} after 40.0 of 160.0 MiB`,
      'swa-align: unpacking x.tar.gz',
      'swa-align: the data set is in dir',
      '',
    ].join('\n'),
  );
});

describe('on a terminal', () => {
  test('the bar renews itself and makes room for what is said', () => {
    const shown = open(true);
    for (const event of story) {
      shown.show(event);
      now += 6;
    }
    expect(text).toContain('connecting to example.org …\r\x1b[Kswa-align: fetching');
    expect(text).toContain('MiB/s  36 s left\r\x1b[Kswa-align: the download broke off');
    expect(text.endsWith('swa-align: the data set is in dir\n')).toBe(true);
  });

  test('fits into the line, not too often, and is taken away', () => {
    const shown = open(true, 30);
    shown.show({ kind: 'begun', url, from: 0, total: 160 * mebi });
    text = '';
    for (let i = 0; i < 100; i++) {
      shown.show(progress(i * mebi));
      now += 0.01;
    }
    const drawn = text.split('\r\x1b[K');
    expect(drawn.length).toBeLessThan(15);
    for (const line of drawn) expect(line.length).toBeLessThan(30);
    text = '';
    shown.clear();
    shown.clear();
    expect(text).toBe('\r\x1b[K');
  });
});
