import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { causeOf, heldOf, numbersFrom, suspectOf } from '../../testdata/suspects.ts';
import { uniforms } from '../../testdata/uniforms.ts';

const { fround } = Math;
const shape = [2, 3, 8, 8] as const;
const size = 2 * 3 * 64;
const next = uniforms(5);
const bytes = Float64Array.from({ length: size }, () => Math.floor(256 * next()));

const imageNet = { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] };
const cifar = { mean: [0.4914, 0.4822, 0.4465], std: [0.2023, 0.1994, 0.201] };

/** As torchvision: each step in float32. */
const normalised = ({ mean, std }: typeof imageNet): Float64Array =>
  bytes.map((v, i) => {
    const c = Math.floor(i / 64) % 3;
    return fround(fround(fround(v / 255) - fround(mean[c])) / fround(std[c]));
  });

const inputOf = (truth: Float64Array) => heldOf('images', shape, truth, { kind: 'input' });
const failing = (truth: Float64Array, ours: Float64Array) => ({
  ...suspectOf(inputOf(truth), ours),
  limit: 0,
});

describe('images normalised otherwise', () => {
  it.each([
    [
      cifar,
      imageNet,
      "normalised by CIFAR-10's mean and deviation, the reference normalised by ImageNet's mean and deviation",
    ],
    [
      { mean: imageNet.mean.toReversed(), std: imageNet.std.toReversed() },
      imageNet,
      "normalised by ImageNet's mean and deviation in the order BGR, the reference normalised by ImageNet's mean and deviation",
    ],
    [
      { mean: [0, 0, 0], std: [1, 1, 1] },
      cifar,
      "not normalised: pixels from 0 to 1, the reference normalised by CIFAR-10's mean and deviation",
    ],
  ])('tells whose constants %j are', (ours, theirs, says) => {
    expect(causeOf(failing(normalised(theirs), normalised(ours)))).toBe(says);
  });

  it('tells any factors and offsets of the channels, to the rounding of float32', () => {
    const one = (low: number, high: number) => fc.double({ min: low, max: high, noNaN: true });
    const constants = fc.record({
      mean: fc.tuple(one(0.1, 0.9), one(0.1, 0.9), one(0.1, 0.9)),
      std: fc.tuple(one(0.3, 0.9), one(0.3, 0.9), one(0.3, 0.9)),
    });
    fc.assert(
      fc.property(constants, (ours) => {
        expect(causeOf(failing(normalised(imageNet), normalised(ours)))).toMatch(
          /^normalised otherwise: channel 0 is .+ × the reference's [+−] .+, channel 1 is .+, channel 2 is /,
        );
      }),
      { numRuns: 30 },
    );
  });

  it('says nothing of other numbers, nor of tensors that are not inputs', () => {
    const truth = normalised(imageNet);
    const noise = numbersFrom(3, size);
    expect(
      causeOf(
        failing(
          truth,
          truth.map((x, i) => x + 1e-4 * noise[i]),
        ),
      ),
    ).toBeUndefined();
    const layer = heldOf('features.0', shape, truth, { kind: 'output' });
    const found = causeOf({ ...suspectOf(layer, normalised(cifar)), limit: 1e-7 });
    expect(found ?? '').not.toMatch(/normalised/);
  });
});
