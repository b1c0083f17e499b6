import { describe, expect, it } from 'vitest';
import { sha256Hex } from '../../io/sha256/sha256.ts';
import { bytesOf, tensor } from '../../tensor/tensor.ts';
import { openedRun, recordOf, rendered } from './testdata/smallRuns.ts';

describe.each(['vgg16bn', 'preresnet110'])('what the reference of %s says it was fed', (model) => {
  const record = recordOf(model);
  const { steps, refreshes } = openedRun(model).stage('epochs');
  const digest = (data: ArrayBufferView): string =>
    sha256Hex(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));

  it("makes PyTorch's images, labels and masks of every step again, by their digests", () => {
    expect(record.steps.map(({ shown }) => digest(rendered(shown, record)))).toEqual(
      steps.map(({ images }) => images),
    );
    const { labels } = record.train;
    const told = record.steps.map(({ shown }) =>
      sha256Hex(
        bytesOf(
          tensor(
            'int64',
            [shown.length],
            BigInt64Array.from(shown, ({ index }) => BigInt(labels[index])),
          ),
        ),
      ),
    );
    expect(told).toEqual(steps.map((step) => step.labels));
    for (const [layer, name] of (['mask0', 'mask1'] as const).entries()) {
      const held = record.steps.flatMap(({ masks }) => masks[layer] ?? []);
      const expected = steps.flatMap((step) => step[name] ?? []);
      expect(held.map((mask) => digest(Uint8Array.from(mask)))).toEqual(expected);
    }
  });

  it('and of every pass that refreshed batch norm', () => {
    expect(
      record.refreshes.map((pass) => pass.map(({ shown }) => digest(rendered(shown, record)))),
    ).toEqual(refreshes);
  });
});
