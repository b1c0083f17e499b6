import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { UsageError } from '../errors.ts';
import { fixturesDirectory } from '../fixtures.ts';
import type { VggOptions } from '../nn/models/vgg.ts';
import { askedProcess } from './askedProcess.ts';
import type { Contestant } from './measure.ts';

/** How PyTorch computes; see peer_torch.py. */
export const torchModes = [
  'fp32',
  'channels-last',
  'tf32',
  'bf16',
  'compile',
  'bf16-compile',
] as const;
export type TorchMode = (typeof torchModes)[number];

/** A Python process that makes PyTorch training steps whenever it is told to. */
export interface TorchPeer {
  /** PyTorch's version and device. */
  readonly description: string;
  contestant(mode: TorchMode): Contestant;
  close(): void;
}

const script = join(fixturesDirectory, 'peer_torch.py');

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

export interface TorchOptions {
  readonly threads: number;
  readonly device: 'cpu' | 'cuda';
  readonly network: VggOptions;
}

/** Starts the peer. Throws UsageError when it has no such device. */
export async function openTorchPeer(
  python: string,
  { threads, device, network: { depth, batchNorm, narrow = 1 } }: TorchOptions,
): Promise<TorchPeer> {
  const args = [script, '--device', device, '--depth', String(depth), '--narrow', String(narrow)];
  if (batchNorm) args.push('--batch-norm');
  const { answer, send, close } = askedProcess('the PyTorch peer', [python, ...args]);
  const about = await answer();
  send({ threads });
  const description = `PyTorch ${about.version}, ${about.device}`;
  return {
    description,
    contestant: (mode) => ({
      name: `PyTorch ${mode}`,
      async block(batch, steps) {
        send({ mode, batch, steps });
        return Number((await answer()).ms);
      },
    }),
    close,
  };
}
