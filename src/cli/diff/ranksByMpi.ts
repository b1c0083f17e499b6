import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { RankFindings, RanksRan, RunRanks } from '../../align/stages/ddp/ranks.ts';
import type { BackendOptions } from '../../backends/registry.ts';
import { DeviceError } from '../../errors.ts';
import { readNpz } from '../../io/numpy/npz.ts';
import { hasKoffi } from '../../native/koffi.ts';
import { type RankCall, type RankFacts, rankFiles } from './rankFiles.ts';

/** How the launchers of MPI's families start so many processes here: on fewer cores, and not bound to one. */
const families = [
  {
    says: /Open MPI/,
    flags: ['--oversubscribe', '--bind-to', 'none', '-np'],
    // What root starts here is this program once more.
    env: { OMPI_ALLOW_RUN_AS_ROOT: '1', OMPI_ALLOW_RUN_AS_ROOT_CONFIRM: '1' },
  },
  { says: /HYDRA|MPICH|Intel\(R\) MPI|MVAPICH/i, flags: ['-np'], env: {} },
] as const;

type Launcher = { readonly file: string } & (typeof families)[number];

function launcherHere(): Launcher | undefined {
  for (const file of ['mpirun', 'mpiexec']) {
    const env = { ...process.env, ...families[0].env };
    const { stdout, stderr } = spawnSync(file, ['--version'], { encoding: 'utf8', env });
    const family = families.find(({ says }) => says.test(`${stdout}${stderr}`));
    if (family !== undefined) return { file, ...family };
  }
  return undefined;
}

/** The built module, or the source behind the loader. */
function entry(): readonly string[] {
  if (!import.meta.url.endsWith('.ts')) {
    return [fileURLToPath(new URL('./rankProcess.js', import.meta.url))];
  }
  const source = fileURLToPath(new URL('./rankProcess.ts', import.meta.url));
  return ['--import', import.meta.resolve('tsx'), source];
}

interface Ended {
  readonly code: number | null;
  readonly lastWord: string;
}

function launched({ file, flags, env }: Launcher, size: number, call: RankCall): Promise<Ended> {
  const words = [...flags, String(size), process.execPath, ...entry(), JSON.stringify(call)];
  const child = spawn(file, words, {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, ...env },
  });
  const end = (): void => {
    child.kill();
  };
  process.on('exit', end);
  let told = '';
  child.stderr.on('data', (text) => {
    told += String(text);
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => {
      process.off('exit', end);
      const lines = told.split('\n').filter((line) => line.trim() !== '');
      const ours = lines.find((line) => line.startsWith('swa-align: '));
      resolve({ code, lastWord: ours?.slice('swa-align: '.length) ?? lines[0] ?? `exit ${code}` });
    });
  });
}

function foundIn(directory: string, size: number): RanksRan {
  const all = Array.from({ length: size }, (_, rank) => {
    const facts: RankFacts = JSON.parse(
      readFileSync(join(directory, rankFiles.facts(rank)), 'utf8'),
    );
    const file = join(directory, rankFiles.recording(rank));
    const findings: RankFindings = {
      recording: readNpz(readFileSync(file), file),
      ...(facts.problem !== undefined && { problem: facts.problem }),
    };
    return { facts, findings };
  });
  return {
    findings: all.map(({ findings }) => findings),
    where: `in a process each, over ${all[0].facts.by}`,
  };
}

/**
 * Ranks in processes that this machine's MPI starts, each with a backend of its own, opened by name. Where none of
 * them comes to begin it is said why. Throws DeviceError where one begins and does not end well.
 */
export function ranksByMpi(backend: string, options: BackendOptions): RunRanks {
  // Asked when it is needed, and once.
  let launcher: Launcher | undefined;
  let why: string | undefined;
  return async (reference, size) => {
    if (launcher === undefined && why === undefined) {
      launcher = launcherHere();
      if (launcher === undefined) why = 'no MPI is installed';
      else if (!hasKoffi()) why = 'the package koffi, which calls MPI, is not installed';
    }
    if (launcher === undefined || why !== undefined) return { why: why ?? '' };
    const directory = mkdtempSync(join(tmpdir(), 'swa-align-'));
    try {
      const threads = options.threads ?? Math.max(1, Math.floor(availableParallelism() / size));
      const call = {
        reference: reference.dir,
        directory,
        backend,
        options: { ...options, threads },
      };
      const { code, lastWord } = await launched(launcher, size, call);
      if (code === 0) return foundIn(directory, size);
      if (readdirSync(directory).length === 0) {
        why = `${launcher.file} starts none: ${lastWord}`;
        return { why };
      }
      throw new DeviceError(`${size} ranks ended with exit code ${code}: ${lastWord}`, {
        where: launcher.file,
        fix: 'try train --distributed under it, or leave it out of PATH: ranks then share one process',
      });
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  };
}
