import { expect, test } from 'vitest';
import { type ImageSet, imageBytes } from '../../data/cifar.ts';
import {
  nextStep,
  resumeTrainingStream,
  streamPosition,
  type TrainingStep,
  type TrainingStream,
} from '../../data/trainingStream.ts';
import { sha256Hex } from '../../io/sha256/sha256.ts';
import { vggPreparation } from '../../nn/models/preparation.ts';
import { bytesOf } from '../../tensor/tensor.ts';
import { manualSeed } from '../../torch/generator.ts';
import { stepsAhead } from './stepsAhead.ts';

const dataset: ImageSet = {
  images: Uint8Array.from({ length: 20 * imageBytes }, (_, i) => (i * 31) & 255),
  labels: Uint8Array.from({ length: 20 }, (_, i) => i % 10),
  count: 20,
  classes: [],
};

/** Three steps an epoch. */
const opened = (workers: number): TrainingStream => ({
  settings: {
    dataset,
    preparation: vggPreparation,
    batchSize: 8,
    workers,
    dropout: { p: 0.5, widths: [7] },
  },
  generator: manualSeed(3),
  epoch: 0,
  step: 0,
  pass: undefined,
});

const summary = ({ images, ...rest }: TrainingStep) => ({
  ...rest,
  images: sha256Hex(bytesOf(images)),
});

test.each([0, 2])('steps drawn ahead are those drawn in turn, with %i workers', (workers) => {
  const [inTurn, stream] = [opened(workers), opened(workers)];
  const { generator } = stream;
  const ahead = stepsAhead(stream);
  for (const prepared of [true, false, true, true, false, true]) {
    const before = streamPosition(stream);
    expect(before).toEqual(streamPosition(inTurn));
    if (prepared) ahead.prepare();
    // What a checkpoint would say now leads to the same step.
    expect(streamPosition(stream)).toEqual(before);
    const resumed = resumeTrainingStream(stream.settings, streamPosition(stream));
    const expected = summary(nextStep(inTurn));
    expect(summary(ahead.take())).toEqual(expected);
    expect(summary(nextStep(resumed))).toEqual(expected);
    expect(stream.generator).toBe(generator);
  }
  expect(streamPosition(stream)).toEqual(streamPosition(inTurn));
});
