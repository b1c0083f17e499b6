import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createReadStream, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { DeviceError, InputError } from '../../errors.ts';
import { complaint } from './complaint.ts';

/** One release of a package, to the byte. */
export interface PinnedPackage {
  readonly name: string;
  readonly version: string;
  /** As the registry and lock files have it: `sha512-…`. */
  readonly integrity: string;
}

interface Ended {
  /** null where a signal ended it. */
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs npm where the user stands, so that it goes by their registry and proxy. Throws the signal's reason. */
async function npm(args: readonly string[], signal: AbortSignal): Promise<Ended> {
  signal.throwIfAborted();
  const child = spawn('npm', args, { stdio: ['ignore', 'pipe', 'pipe'], signal });
  const texts = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text: string) => {
      texts[name] += text;
    });
  }
  return new Promise((resolve, reject) => {
    child.on('error', (error) => {
      if (signal.aborted) return;
      reject(
        new DeviceError(`npm does not run: ${error.message}`, {
          fix: 'install the npm that comes with Node.js',
        }),
      );
    });
    child.on('close', (status) => {
      if (signal.aborted) reject(signal.reason);
      else resolve({ status, ...texts });
    });
  });
}

/** What npm says went wrong, with `--json`: in an object, or in lines. */
function reason({ stdout, stderr }: Ended): string {
  try {
    const { error } = JSON.parse(stdout) as { error: { summary: unknown } };
    if (typeof error.summary === 'string') return error.summary.split('\n')[0].trim();
  } catch {
    // It did not come as far as that.
  }
  return complaint(stderr);
}

async function integrityOf(file: string): Promise<string> {
  const hash = createHash('sha512');
  await pipeline(createReadStream(file), hash);
  return `sha512-${hash.digest('base64')}`;
}

/**
 * Fetches a package's archive into an empty folder by npm, which runs none of its scripts, and gives its file. Throws
 * InputError where it cannot be had or is another one than it was, DeviceError where there is no npm.
 */
export async function npmPack(
  { name, version, integrity }: PinnedPackage,
  folder: string,
  signal: AbortSignal,
): Promise<string> {
  const where = `${name}@${version}`;
  const flags = ['--json', '--ignore-scripts', '--pack-destination', folder];
  const ended = await npm(['pack', ...flags, where], signal);
  const [file] = readdirSync(folder);
  if (ended.status !== 0 || file === undefined) {
    throw new InputError(`npm could not fetch it: ${reason(ended)}`, {
      where,
      fix: `see that \`npm view ${where}\` finds it, and that the disk has room`,
    });
  }
  const archive = join(folder, file);
  const found = await integrityOf(archive);
  if (found !== integrity) {
    throw new InputError(`what npm fetched has the checksum ${found}, not ${integrity}`, {
      where,
      fix: 'ask another registry',
    });
  }
  return archive;
}
