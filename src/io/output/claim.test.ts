import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { InputError, UsageError } from '../../errors.ts';
import { claimDirectory, claimFile, tryClaim } from './claim.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'claim-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

test('a second claim is refused with who holds the first; afterwards it is free', async () => {
  const claim = await claimDirectory(dir, 'go elsewhere');
  const second = claimDirectory(dir, 'go elsewhere');
  await expect(second).rejects.toThrow(UsageError);
  await expect(second).rejects.toThrow(
    new RegExp(
      `^${dir}: another run is writing here \\(process ${process.pid} on ${hostname()}, since 2\\d{3}-\\d\\d-\\d\\d \\d\\d:\\d\\d:\\d\\d UTC\\); wait until it has ended, or go elsewhere$`,
    ),
  );
  claim.release();
  expect(readdirSync(dir)).toEqual([]);
  (await claimDirectory(dir, '')).release();
});

test('leaves no directory that it made, unless something came into it', async () => {
  const deep = join(dir, 'a', 'b', 'c');
  (await claimDirectory(deep, '')).release();
  expect(readdirSync(dir)).toEqual([]);
  const claim = await claimDirectory(deep, '');
  writeFileSync(join(dir, 'a', 'b', 'mine'), '');
  claim.release();
  expect(readdirSync(join(dir, 'a', 'b'))).toEqual(['mine']);
});

test('a directory that was there stays, empty as it is', async () => {
  const own = join(dir, 'own');
  mkdirSync(own);
  (await claimDirectory(own, '')).release();
  expect(existsSync(own)).toBe(true);
});

test('a file in its place', async () => {
  const file = join(dir, 'file');
  writeFileSync(file, 'text');
  await expect(tryClaim(file)).rejects.toThrow(InputError);
  await expect(tryClaim(file)).rejects.toThrow(/file: exists and is not a directory/);
  expect(readFileSync(file, 'utf8')).toBe('text');
});

test('who cannot be asked is watched for a while, which is told', async () => {
  const lock = join(dir, '.swa-align.lock');
  writeFileSync(lock, '{"tok');
  const told: string[] = [];
  const timing = { beatMs: 10, pollMs: 5, deadMs: 50 };
  const taken = await tryClaim(dir, { timing, tell: (line) => told.push(line) });
  expect(taken).toHaveProperty('claim');
  expect(told).toEqual([
    `${dir}: was claimed by another process; checking for up to 0.05 s whether that still runs`,
  ]);
});

test('a file that grows: one at a time by whichever name, a device or pipe for all', async () => {
  const file = join(dir, 'new', 'steps.csv');
  const claim = await claimFile(file, 'give another file');
  symlinkSync(file, join(dir, 'link.csv'));
  await expect(claimFile(join(dir, 'link.csv'), 'give another file')).rejects.toThrow(
    /link\.csv: another run is writing here .*, or give another file$/,
  );
  claim?.release();
  expect(readdirSync(dir)).toEqual(['link.csv']);
  expect(await claimFile('-', '')).toBeUndefined();
});
