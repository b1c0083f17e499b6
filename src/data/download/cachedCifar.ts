import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { InputError, UsageError } from '../../errors.ts';
import { fileError } from '../../io/fileError.ts';
import { type LockTiming, usualTiming, withLock } from '../../io/output/lock.ts';
import { type CifarArchive, officialAddress } from '../cifarArchives.ts';
import { anotherMirror } from './advice.ts';
import { digestOfFile } from './digest.ts';
import type { Report } from './events.ts';
import { fetchFile, type Patience, usualPatience } from './fetchFile.ts';
import { inspect, seal } from './installed.ts';
import { discardPartial } from './partialFile.ts';
import { unpack } from './unpack.ts';

export interface DownloadOptions {
  /** The directory downloads are kept in; made if need be. */
  readonly cache: string;
  /** The address below which the archives lie. */
  readonly address?: string;
  readonly patience?: Patience;
  readonly timing?: LockTiming;
  readonly signal?: AbortSignal;
  readonly report?: Report;
}

interface Download extends Required<DownloadOptions> {
  readonly archive: CifarArchive;
  /** Where the unpacked data set lies. */
  readonly folder: string;
}

/** The archive's address. Throws UsageError where `address` is no place that can be fetched from. */
export function archiveUrl(file: string, address: string): string {
  const fix = 'give SWA_ALIGN_DATA_URL as http://… or https://…, the folder of the archives';
  const base = URL.canParse(address) ? new URL(address) : undefined;
  if (base === undefined || !/^https?:$/.test(base.protocol)) {
    throw new UsageError(`"${address}" is not a web address`, { fix });
  }
  // fetch refuses such an address, and a password does not belong into messages.
  if (base.username !== '' || base.password !== '') {
    throw new UsageError('the address of the archives holds a user name or password', { fix });
  }
  if (!base.pathname.endsWith('/')) base.pathname += '/';
  return new URL(file, base).href;
}

/** A file operation in the cache; a failure names the cache and how to choose another. */
function inCache<T>(cache: string, operation: () => T): T {
  try {
    return operation();
  } catch (error) {
    throw fileError(
      cache,
      error,
      'name another directory for downloads with SWA_ALIGN_CACHE, or give --data-path DIR',
    );
  }
}

const asidePrefix = ({ archive }: Download): string => `.${archive.layout.folder}-`;

/** What killed processes left; only the holder of the lock may do this. */
function removeLeftovers(download: Download): void {
  for (const name of readdirSync(download.cache)) {
    if (!name.startsWith(asidePrefix(download))) continue;
    rmSync(join(download.cache, name), { recursive: true, force: true });
  }
}

/** Brings the archive to `part`, its md5 checked. A bad beginning is thrown away and fetched again, once. */
async function fetchArchive(part: string, url: string, download: Download): Promise<void> {
  const { archive, patience, signal, report } = download;
  const { mostBytes } = archive;
  for (let again = false; ; again = true) {
    const { inOnePiece } = await fetchFile({ url, part, mostBytes, patience, signal, report });
    const md5 = await digestOfFile('md5', part, signal);
    if (md5 === archive.md5) return;
    discardPartial(part);
    const what = `its md5 is ${md5}, not ${archive.md5}`;
    // What came in one piece is what the server has; only a patchwork can be mended.
    if (inOnePiece || again) {
      throw new InputError(`${what}: another file, or damaged on the way`, {
        where: url,
        fix: anotherMirror,
      });
    }
    report({ kind: 'damaged', what: `${part}: ${what}` });
  }
}

/** Unpacks beside the final place, and takes that by one rename when all is there and checked. */
async function install(part: string, download: Download): Promise<void> {
  const { archive, cache, folder, signal, report } = download;
  report({ kind: 'unpacking', file: archive.file });
  const aside = inCache(cache, () => mkdtempSync(join(cache, asidePrefix(download))));
  try {
    const fresh = join(aside, 'new');
    mkdirSync(fresh);
    await unpack(archive, part, fresh, signal);
    await seal(fresh, archive, signal);
    inCache(cache, () => {
      if (existsSync(folder)) renameSync(folder, join(aside, 'old'));
      renameSync(fresh, folder);
    });
  } finally {
    rmSync(aside, { recursive: true, force: true });
  }
  // Until here a process that was stopped finds the whole archive and need not fetch it again.
  discardPartial(part);
  report({ kind: 'installed', folder });
}

/**
 * The directory that holds a data set's unpacked folder, fetched first where the cache has none or a
 * damaged one: fetched in as many pieces as the connection needs, checked against the published md5,
 * unpacked aside and put in place by one rename, so that a folder that is there was complete once. Every
 * use compares all bytes with the checksums noted then. Processes at the same download wait for the one
 * that holds the lock file. Throws InputError in one line where none of this succeeds, UsageError for
 * a malformed address, and the signal's reason when that aborts.
 */
export async function cachedCifar(
  archive: CifarArchive,
  options: DownloadOptions,
): Promise<string> {
  const folder = join(options.cache, archive.layout.folder);
  const download: Download = {
    address: officialAddress,
    patience: usualPatience,
    timing: usualTiming,
    signal: new AbortController().signal,
    report: () => {},
    ...options,
    archive,
    folder,
  };
  const { cache, signal, report, timing } = download;
  const url = archiveUrl(archive.file, download.address);
  // Without the lock, so that a complete cache may be read-only.
  if ((await inspect(folder, archive, signal)).whole) return cache;
  inCache(cache, () => mkdirSync(cache, { recursive: true }));
  const lock = join(cache, `${archive.file}.lock`);
  const onWait = (): void => report({ kind: 'waiting', lock });
  await withLock(lock, { timing, signal, onWait }, async (held) => {
    // Another process may have been quicker.
    const { whole, damage } = await inspect(folder, archive, held);
    if (whole) return;
    if (damage !== undefined) report({ kind: 'damaged', what: `${folder}: ${damage}` });
    const mine = { ...download, signal: held };
    inCache(cache, () => removeLeftovers(mine));
    const part = join(cache, `${archive.file}.part`);
    await fetchArchive(part, url, mine);
    await install(part, mine);
  });
  return cache;
}
