import { type ChildProcessWithoutNullStreams, spawn, spawnSync } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { UsageError } from '../src/errors.ts';

/** A Python process that does one PyTorch training step whenever it is told to. */
export interface TorchPeer {
  readonly version: string;
  /** Milliseconds of one step, measured by the peer itself. */
  step(batch: number): Promise<number>;
  close(): void;
}

const script = fileURLToPath(new URL('peer_torch.py', import.meta.url));

const hasTorch = (python: string): boolean =>
  spawnSync(python, ['-c', 'import torch'], { stdio: 'ignore' }).status === 0;

/** The first Python with PyTorch. Throws UsageError when there is none. */
export function findPython(named: string | undefined): string {
  const candidates = named === undefined ? ['python3', '/usr/bin/python3', 'python'] : [named];
  const found = candidates.find(hasTorch);
  if (found !== undefined) return found;
  throw new UsageError(`no Python with PyTorch among ${candidates.join(', ')}`, {
    fix: 'install one (`pip install torch`, or python3-torch) or name it with --python',
  });
}

export async function openTorchPeer(python: string, threads: number): Promise<TorchPeer> {
  const child: ChildProcessWithoutNullStreams = spawn(python, [script]);
  child.stderr.pipe(process.stderr);
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const answer = async (): Promise<Record<string, string | number>> => {
    const { value, done } = await lines.next();
    if (done) throw new UsageError('the PyTorch peer ended without an answer');
    return JSON.parse(value) as Record<string, string | number>;
  };
  const send = (order: object): void => {
    child.stdin.write(`${JSON.stringify(order)}\n`);
  };
  const { version } = await answer();
  send({ threads });
  return {
    version: String(version),
    async step(batch) {
      send({ batch });
      return Number((await answer()).ms);
    },
    close: () => child.stdin.end(),
  };
}
