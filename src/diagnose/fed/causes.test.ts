import { expect, it } from 'vitest';
import type { Verdict } from '../../align/judge/verdict.ts';
import type { Fed } from '../../align/stages/fed.ts';
import type { FailedPart } from '../../align/stages/stage.ts';
import { withFedCauses } from './causes.ts';
import { rawSet } from './pixels/rawSet.ts';
import { fedBy, openedRun, recordOf, testsBy } from './testdata/smallRuns.ts';

const verdict = (name: string, passed: boolean): Verdict => ({
  name,
  checks: [{ method: 'equal', value: passed ? 0 : 1, threshold: 0, passed }],
});

const part = (fed: Fed): FailedPart => ({ recording: new Map(), expectations: [], fed });

it('tells failures of a resumed run by its own batches, one mistake in each, and nothing of what passed', () => {
  const reference = openedRun('vgg16bn');
  const record = recordOf('vgg16bn');
  const { stop_after: from } = reference.stage('epochs').settings;
  // Images and labels of each step in reverse.
  const reversed = { shown: (shown: (typeof record.steps)[number]['shown']) => shown.toReversed() };
  const inverted = { mask: (mask: Float64Array) => mask.map((x) => 1 - x) };
  const fed = { ...fedBy(record, { ...reversed, ...inverted }, from), prefix: 'resumed: ' };
  const names = ['labels', 'images', 'mask0', 'mask1', 'generator'];
  const verdicts = names.flatMap((name) => [
    verdict(name, true),
    verdict(`resumed: ${name}`, name === 'mask1'),
  ]);
  const told = withFedCauses('epochs', verdicts, [part(fed)], reference);
  expect(told.flatMap(({ name, cause }) => (cause === undefined ? [] : [[name, cause]]))).toEqual([
    [
      'resumed: mask0',
      {
        hypothesis: 'fed: mask',
        says: 'the mask is turned round: it keeps what it should drop',
        left: 0,
        explains: 1,
        of: 1,
      },
    ],
  ]);
});

it('tells what the stage metric evaluates', () => {
  const reference = openedRun('vgg16');
  const { images: count, settings } = reference.stage('metric');
  const test = rawSet(reference.syntheticDirectory(), 'synthetic', 'test')!;
  const record = { ...recordOf('vgg16bn'), test };
  const indices = Array.from({ length: count }, (_, i) => i);
  const { mean, std } = record.constants;
  const batches = testsBy(record, settings.batch, indices, {
    pixel: (value, c) => (value * std[c] + mean[c] - 0.5) / 0.5,
  });
  const tests = { images: 'images', labels: 'labels', batches, batch: settings.batch, count };
  const fed = { prefix: '', from: 0, steps: [], refreshes: [], tests: [tests] };
  const [images, labels] = withFedCauses(
    'metric',
    [{ ...verdict('images', false), nearest: [] }, verdict('labels', true)],
    [part(fed)],
    reference,
  );
  expect(images.cause?.says).toBe(
    "normalised by mean 0.5, 0.5, 0.5 and deviation 0.5, 0.5, 0.5 (to −1 … 1), the reference by mean 0.485, 0.456, 0.406 and deviation 0.229, 0.224, 0.225 (ImageNet's)",
  );
  expect(images).not.toHaveProperty('nearest');
  expect(labels).not.toHaveProperty('cause');
});

it('leaves other stages alone, and verdicts on what nothing explains', () => {
  const reference = openedRun('vgg16bn');
  const record = recordOf('vgg16bn');
  const failing = [verdict('images', false)];
  const fed = fedBy(record, { pixel: (value, _, at) => value + Math.sin(at) });
  expect(withFedCauses('epochs', failing, [part(fed)], reference)).toEqual(failing);
  const plain = fedBy(record, { shown: (shown) => shown.map((s) => ({ ...s, top: 4, left: 4 })) });
  expect(withFedCauses('swa', failing, [part(plain)], reference)).toEqual(failing);
});
