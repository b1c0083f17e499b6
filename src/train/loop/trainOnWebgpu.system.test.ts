/** A whole SWA run on WebGPU, and one whose GPU process dies. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { needsSwiftshader, swiftshader, useSwiftshader } from '../../../test/machine.ts';
import { follow, ofKind, scratch, tinyDataset, tinyRun } from '../../../test/trainTinyRun.ts';
import type { Backend } from '../../backends/backend.ts';
import { startProcess } from '../../backends/worker/process/startProcess.ts';
import { backendIn } from '../../backends/worker/workerBackend.ts';
import { DeviceError } from '../../errors.ts';
import { newestCheckpoint } from '../checkpoint/checkpointFiles.ts';
import type { TrainingRun } from './session.ts';

/** All batches are alike: on a software GPU it is the first run of each program that takes long. */
const dataset = {
  train: { ...tinyDataset.train, count: 16, labels: tinyDataset.train.labels.slice(0, 16) },
  test: { ...tinyDataset.test, count: 8, labels: tinyDataset.test.labels.slice(0, 8) },
};
const settings = { epochs: 2, evalFreq: 1, swaStart: 1, lrInit: 0.01 };
const run = (dir: string, rest: Partial<TrainingRun> = {}): TrainingRun =>
  tinyRun(dir, settings, { dataset, ...rest });

describe.skipIf(swiftshader === undefined)(`training on WebGPU${needsSwiftshader}`, () => {
  let far: ReturnType<typeof startProcess>;
  let backend: Backend;
  beforeAll(async () => {
    useSwiftshader();
    far = startProcess('ort', { device: 'webgpu' });
    backend = await backendIn(far, 'ort', 'process');
  });
  afterAll(() => backend.close?.());

  let s: ReturnType<typeof scratch>;
  beforeEach(() => {
    s = scratch();
  });
  afterEach(() => s.remove());

  test('SGD, SWA, batch-norm refresh and evaluations as on the CPU', async () => {
    const rows = async (of: TrainingRun) => ofKind(await follow(of), 'epoch').map((e) => e.row);
    const gpu = await rows(run(`${s.dir}/gpu`, { backend }));
    const cpu = await rows(run(`${s.dir}/cpu`));
    expect(gpu).toHaveLength(2);
    for (const [i, row] of gpu.entries()) {
      for (const key of ['trainLoss', 'testLoss', 'swaTestLoss'] as const) {
        // Batch norm over 8 images magnifies rounding step by step; PyTorch strays as far from itself.
        expect(Math.abs(row[key]! / cpu[i][key]! - 1), `${key} of epoch ${i + 1}`).toBeLessThan(
          1e-3,
        );
      }
    }
  }, 240_000);

  test('a GPU process that is killed: one line, and the last checkpoint goes on elsewhere', async () => {
    const dir = `${s.dir}/killed`;
    const killing = follow(run(dir, { backend, saveEverySteps: 1 }), (event) => {
      if (event.kind === 'step' && event.step === 1) process.kill(far.pid!, 'SIGKILL');
      return false;
    });
    await expect(killing).rejects.toThrow(DeviceError);
    await expect(killing).rejects.toThrow(
      /^the process that the ort backend ran in ended \(SIGKILL.*\); start the command again; a training run goes on with --resume$/,
    );
    const found = newestCheckpoint(dir);
    expect(found.skipped).toEqual([]);
    expect(found.checkpoint.backend).toBe('ort on webgpu');
    const resumed = await follow(run(dir, { resume: found }));
    expect(ofKind(resumed, 'ended')).toMatchObject([{ ending: 'finished', step: 4 }]);
  }, 120_000);
});
