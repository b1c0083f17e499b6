import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { follow, scratch, tinyBackend, tinyModel, tinyRun } from '../../../test/trainTinyRun.ts';
import type { Backend } from '../../backends/backend.ts';
import { nextStep } from '../../data/trainingStream.ts';
import { InputError, TrainingError } from '../../errors.ts';
import { writeNpz } from '../../io/numpy/npz.ts';
import { readWeights } from '../../io/weights.ts';
import { initPlan } from '../../nn/module.ts';
import { type Tensor, type TensorMap, tensor } from '../../tensor/tensor.ts';
import { manualSeed } from '../../torch/generator.ts';
import { initialise } from '../../torch/initialise.ts';
import { modelWeights } from '../stateDict.ts';
import { checkEvaluation, checkStep } from './diagnosis.ts';
import { openSession, type Session } from './session.ts';

let s: ReturnType<typeof scratch>;
beforeEach(() => {
  s = scratch();
});
afterEach(() => s.remove());

/** PyTorch's initial weights with `value` in one element, or in every element, of one of them. */
function weightsWith(name: string, value: number, everywhere = false): TensorMap {
  const weights = new Map<string, Tensor>(initialise(initPlan(tinyModel), manualSeed(1)));
  const data = weights.get(name)!.data as Float32Array;
  if (everywhere) data.fill(value);
  else data[data.length - 2] = value;
  return weights;
}

const message = (run: Promise<unknown>): Promise<string> =>
  run.then(
    () => 'no error',
    (error: Error) => {
      expect(error).toBeInstanceOf(TrainingError);
      return error.message;
    },
  );

describe('a step whose loss or weights are no numbers stops the run, naming step, layer and last good checkpoint', () => {
  test('an output', async () => {
    const weights = weightsWith('classifier.6.weight', 3e38, true);
    expect(await message(follow(tinyRun(s.dir, {}, { weights })))).toMatch(
      /^the loss became (NaN|Infinity) at step 0, in epoch 1: NaN or infinity first appears in the output of classifier\.6; the last good checkpoint is .*checkpoint-0\.safetensors$/,
    );
    expect(readdirSync(s.dir)).toEqual(['checkpoint-0.safetensors']);
  });

  test('weights, in the step that breaks them and not in the next one, whose loss would tell', async () => {
    const run = tinyRun(s.dir, { lrInit: 1e39, swa: false }, { saveEverySteps: 1 });
    expect(await message(follow(run))).toMatch(
      /^a weight or running statistic became NaN or infinite at step 0, in epoch 1: .* the update of features\.0\.weight; .*checkpoint-0\.safetensors$/,
    );
    expect(readdirSync(s.dir)).toEqual(['checkpoint-0.safetensors']);
  });

  test('a huge learning rate, amid an epoch', async () => {
    const run = tinyRun(s.dir, { lrInit: 1e8, swa: false }, { saveEverySteps: 1 });
    expect(await message(follow(run))).toMatch(
      /^the loss became NaN at step 2, in epoch 1: .* the new features\.1\.running_var; .*checkpoint-0-step-2\.safetensors$/,
    );
  });

  test('in a later epoch: the steps before it are made once more, evaluations and all', async () => {
    // The rate rises towards swaLr in epoch 4 only.
    const settings = { lrInit: 0.01, swaStart: 4, swaLr: 1e9, epochs: 5, evalFreq: 1 };
    const run = tinyRun(s.dir, settings);
    expect(await message(follow(run))).toMatch(
      /at step 1[01], in epoch 4: NaN or infinity first appears in the new features\.\d+\.running_var; .*checkpoint-0\.safetensors$/,
    );
  });

  test('an evaluation of weights that are finite', async () => {
    const run = tinyRun(s.dir, { lrInit: 300, swa: false });
    expect(await message(follow(run))).toMatch(
      /^the loss became NaN on the test set after epoch 1: .* the output of features\.1; .*checkpoint-0\.safetensors$/,
    );
  });

  test('a gradient, where everything up to the loss is finite', async () => {
    const weights = new Map<string, Tensor>(initialise(initPlan(tinyModel), manualSeed(1)));
    const change = (name: string, to: (x: number) => number): void => {
      const data = weights.get(name)!.data as Float32Array;
      data.forEach((x, i) => {
        data[i] = to(x);
      });
    };
    // Logits of ordinary size, yet the hidden layer's gradient is 1e37, and its input 1e5.
    change('classifier.6.weight', (x) => x * 1e38);
    change('classifier.4.weight', () => 0);
    change('classifier.4.bias', () => 1e-37);
    change('classifier.1.weight', (x) => x * 1e6);
    expect(await message(follow(tinyRun(s.dir, {}, { weights })))).toMatch(
      /^a weight .* at step 0, in epoch 1: NaN or infinity first appears in the gradient of classifier\.4\.weight;/,
    );
  });

  test('a machine at fault: the step made once more is finite', async () => {
    const run = tinyRun(s.dir, {}, { backend: faulty('classifier.1.weight', 5) });
    expect(await message(follow(run))).toMatch(
      /at step 4, in epoch 2: NaN or infinity first appears in classifier\.1\.weight, yet not once more;/,
    );
  });
});

/** A backend that plants an infinity in a weight after the n-th training step, as a failing memory would. */
function faulty(name: string, n: number): Backend {
  let steps = 0;
  return {
    ...tinyBackend,
    async compile(program, fetches) {
      const { run, dispose } = await tinyBackend.compile(program, fetches);
      if (program.name !== 'training step') return { run, dispose };
      return {
        dispose,
        async run(state, inputs) {
          const results = await run(state, inputs);
          if (++steps !== n) return results;
          const planted = weightsWith(name, Number.POSITIVE_INFINITY).get(name)!;
          const [[, held]] = await tinyBackend.upload(new Map([[name, planted]]));
          state.set(name, held);
          const nan = tensor('float32', [], Float32Array.of(Number.NaN));
          return new Map<string, Tensor>([...results].map(([key]) => [key, nan]));
        },
      };
    },
  };
}

describe('one Inf planted in classifier.1.weight', () => {
  const name = 'classifier.1.weight';

  test('of a weights file is named with the file', () => {
    const file = join(s.dir, 'planted.npz');
    const planted = weightsWith(name, Number.POSITIVE_INFINITY);
    writeFileSync(file, writeNpz(planted));
    const element = planted.get(name)!.data.length - 2;
    const reading = () => modelWeights(tinyModel, readWeights(file).tensors, file);
    expect(reading).toThrow(InputError);
    expect(reading).toThrow(`${file}: ${name} holds NaN or infinity (element ${element})`);
  });

  test('of weights that code hands over is named before anything is written', async () => {
    const dir = join(s.dir, 'run');
    const run = follow(tinyRun(dir, {}, { weights: weightsWith(name, Number.NEGATIVE_INFINITY) }));
    await expect(run).rejects.toThrow(InputError);
    await expect(run).rejects.toThrow(`${name} holds NaN or infinity`);
    expect(readdirSync(s.dir)).toEqual([]);
  });

  test('of the model under way is named by an evaluation', async () => {
    const session = await openSession(tinyRun(s.dir));
    await plant(session, name, Number.POSITIVE_INFINITY);
    expect(await message(checkEvaluation(session, session.state, Number.NaN, 'somewhere'))).toBe(
      `the loss became NaN somewhere: NaN or infinity first appears in ${name}`,
    );
    await session.release();
  });
});

async function plant({ run, state }: Session, name: string, value: number): Promise<void> {
  const [[, held]] = await run.backend.upload(
    new Map([[name, weightsWith(name, value).get(name)!]]),
  );
  state.set(name, held);
}

test('a sum of weights that overflows stops nothing while every weight is finite', async () => {
  const session = await openSession(tinyRun(s.dir));
  nextStep(session.stream);
  const seen = (watched: number) =>
    checkStep(session, { step: 0, epoch: 0, signs: { loss: 1, correct: 0, watched } });
  await seen(Number.POSITIVE_INFINITY);
  await plant(session, 'features.0.bias', Number.NaN);
  expect(await message(seen(Number.NaN))).toContain('features.0.bias');
  await session.release();
});
