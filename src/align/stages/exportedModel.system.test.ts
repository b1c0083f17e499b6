import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ortBackend } from '../../backends/ort/cpu/ortBackend.ts';
import { runOnnxModel } from '../../backends/ort/onnx/onnxModel.ts';
import { DeviceError, InputError } from '../../errors.ts';
import { fixturesDirectory } from '../../fixtures.ts';
import { models } from '../../nn/models/index.ts';
import { evaluationStep } from '../../program/evaluationStep.ts';
import { type Tensor, tensor, zeros } from '../../tensor/tensor.ts';
import { manualSeed } from '../../torch/generator.ts';
import { normal } from '../../torch/normal.ts';
import { distances } from '../measure/distance.ts';
import { exportedModel } from './exportedModel.ts';

describe.each(['vgg16', 'vgg16bn'] as const)('%s as PyTorch exports it', (name) => {
  it('answers as our graph does, whatever the weights', async () => {
    const model = models[name].build(10);
    const g = manualSeed(7);
    const draw = (shape: readonly number[], scale: number, mean = 0): Tensor => {
      const t = zeros('float32', shape);
      normal(g, t.data, mean, scale);
      return t;
    };
    // kept near the size of the usual ones, so that the activations neither vanish nor explode
    const weights = new Map(
      model.state.map(({ name: of, shape }): [string, Tensor] => {
        if (of.endsWith('running_var')) {
          return [of, tensor('float32', shape, new Float32Array(shape[0]).fill(1.5))];
        }
        const fanIn = shape.slice(1).reduce((n, d) => n * d, 1);
        return [of, shape.length === 1 ? draw(shape, 0.1, 0.5) : draw(shape, 1 / Math.sqrt(fanIn))];
      }),
    );
    const images = draw([30, 3, 32, 32], 1);
    const theirs = await runOnnxModel(
      exportedModel(name)!.bytes,
      new Map([...weights, ['images', images]]),
    );
    const backend = await ortBackend();
    const executable = await backend.compile(evaluationStep(model, images.shape), ['logits']);
    const ours = await executable.run(
      await backend.upload(weights),
      new Map<string, Tensor>([
        ['images', images],
        ['labels', zeros('int64', [30])],
      ]),
    );
    const { relativeL2 } = distances(ours.get('logits')!, theirs.get('logits')!);
    expect(relativeL2).toBeLessThan(5e-6);
  });
});

describe('an exported graph', () => {
  let dir: string;
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'swa-align-onnx-'));
    for (const file of ['vgg16.onnx', 'source.json']) {
      copyFileSync(join(fixturesDirectory, 'onnx', file), join(dir, file));
    }
  });
  afterEach(() => rmSync(dir, { recursive: true }));

  it('is known by its hash and its PyTorch, or is not there', () => {
    expect(exportedModel('vgg16', dir)?.torch).toMatch(/^\d+\.\d+/);
    expect(exportedModel('vgg19', dir)).toBeUndefined();
  });

  it('is refused when it was changed, or nothing says where it is from', () => {
    writeFileSync(join(dir, 'vgg16.onnx'), 'something else');
    expect(() => exportedModel('vgg16', dir)).toThrow(InputError);
    expect(() => exportedModel('vgg16', dir)).toThrow('is not the file that was exported');
    writeFileSync(join(dir, 'source.json'), '{');
    expect(() => exportedModel('vgg16', dir)).toThrow('does not say where the graphs are from');
  });

  it('needs all its inputs', async () => {
    await expect(runOnnxModel(exportedModel('vgg16')!.bytes, new Map())).rejects.toThrow(
      DeviceError,
    );
  });
});
