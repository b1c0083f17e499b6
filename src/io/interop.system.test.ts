import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { pythonHas, pythons } from '../../test/support/pythons.ts';
import { bytesOf, type Tensor } from '../tensor/tensor.ts';
import { writeNpy } from './numpy/npy.ts';
import { readNpz, writeNpz } from './numpy/npz.ts';
import { readReprodLog, writeReprodLog } from './numpy/reprodLog.ts';
import { counting, dtypes, expectSameMap } from './testdata/support.ts';
import { writeTorchCheckpoint } from './torch/torchCheckpointWriter.ts';
import { weightsOf } from './weights.ts';

const script = fileURLToPath(new URL('testdata/check_files.py', import.meta.url));

const young = ['uint16', 'uint32', 'uint64'];
const all = new Map<string, Tensor>(
  dtypes.map((dtype) => [`f32/${dtype}.weight`, counting(dtype, [2, 3])]),
);
all.set('scalar', counting('float64', []));
all.set('empty', counting('float32', [0, 4]));
all.set('naïve ☃', counting('int64', [3]));

const describeMap = (map: ReadonlyMap<string, Tensor>) =>
  Object.fromEntries(
    [...map].map(([k, t]) => [k, [t.dtype, t.shape, Buffer.from(bytesOf(t)).toString('hex')]]),
  );

const cases = pythons.flatMap((python) =>
  (['numpy', 'torch'] as const).map((library) => ({
    python,
    library,
    there: pythonHas([library], python),
  })),
);

for (const { python, library, there } of cases) {
  it.skipIf(!there)(
    `${python} reads ours and we read its files (needs ${library} there)`,
    { timeout: 60_000 },
    () => {
      const directory = mkdtempSync(join(tmpdir(), 'swa-align-'));
      const put = (name: string, bytes: Uint8Array) => writeFileSync(join(directory, name), bytes);
      const back = (name: string) => new Uint8Array(readFileSync(join(directory, name)));
      try {
        // PyTorch before 2.3 has no wide unsigned integers.
        const common = new Map([...all].filter(([, t]) => !young.includes(t.dtype)));
        const plain = counting('float32', [2, 3]);
        put('stored.npz', writeNpz(all));
        put('deflated.npz', writeNpz(all, { compress: true }));
        put('log.npy', writeReprodLog(all));
        put('plain.npy', writeNpy(plain));
        if (library === 'torch') put('weights.pt', writeTorchCheckpoint(common));
        const run = spawnSync(python, [script, directory], { encoding: 'utf8' });
        expect(run.status, run.stderr).toBe(0);
        expect(JSON.parse(run.stdout).files).toEqual({
          'stored.npz': describeMap(all),
          'deflated.npz': describeMap(all),
          'log.npy': describeMap(all),
          'plain.npy': describeMap(new Map([['plain', plain]])),
          ...(library === 'torch' ? { 'weights.pt': describeMap(common) } : {}),
        });
        expectSameMap(readNpz(back('back.npz'), 'back.npz'), all);
        expectSameMap(readReprodLog(back('back.npy'), 'back.npy'), all);
        if (library === 'torch') {
          expectSameMap(weightsOf(back('back.pt'), 'back.pt').tensors, common);
        }
      } finally {
        rmSync(directory, { recursive: true });
      }
    },
  );
}
