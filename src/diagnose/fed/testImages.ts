import type { FedTests } from '../../align/stages/fed.ts';
import { toFloat64 } from '../../tensor/tensor.ts';
import { type Explained, explained, type Finding, together } from './finding.ts';
import { imagesOf, look } from './images.ts';
import { labelsFinding } from './labels.ts';
import type { Constants } from './pixels/constants.ts';
import type { Seen } from './pixels/decode.ts';
import type { RawSet } from './pixels/rawSet.ts';
import { isPlain, plainly, sameView } from './pixels/shown.ts';

interface Given {
  readonly test: RawSet;
  readonly train?: RawSet;
  readonly constants: Constants;
}

const found = (key: string, says: string): Finding => ({
  key: `tests ${key}`,
  row: 'fed: test images',
  says,
});

const sizesOf = ({ batches }: FedTests): number[] => batches.map(({ images }) => images.shape[0]);

/** Sizes of the batches of one pass. */
const passSizes = (count: number, batch: number): number[] =>
  Array.from({ length: Math.ceil(count / batch) }, (_, k) => Math.min(batch, count - k * batch));

/** Whether these sizes are some passes, one after the other. */
const arePasses = (sizes: readonly number[], pass: readonly number[]): boolean =>
  pass.length > 0 &&
  sizes.length > 0 &&
  sizes.length % pass.length === 0 &&
  sizes.every((size, i) => size === pass[i % pass.length]);

/** Into which batches the images are divided, and how many images one pass has. */
function division(tests: FedTests): { readonly pass: number; readonly finding: Explained } {
  const { batch, count } = tests;
  const sizes = sizesOf(tests);
  if (arePasses(sizes, passSizes(count, batch))) return { pass: count, finding: 'right' };
  const full = count - (count % batch);
  if (arePasses(sizes, passSizes(full, batch))) {
    return { pass: full, finding: found('dropped', 'the last, short batch of a pass is missing') };
  }
  const largest = Math.max(...sizes);
  if (arePasses(sizes, passSizes(count, largest))) {
    const told = largest === count ? `one batch of all ${count}` : `batches of ${largest}`;
    return {
      pass: count,
      finding: found(
        'size',
        `the same images, but another batch size: in ${told}, the reference in batches of ${batch}`,
      ),
    };
  }
  return { pass: count, finding: 'unexplained' };
}

function order(seen: readonly Seen[], pass: number, count: number): Explained {
  const at = (i: number): number => i % pass;
  if (seen.every(({ index }, i) => index === at(i))) return 'right';
  if (seen.every(({ index }, i) => index === count - 1 - at(i))) {
    return found('reversed', 'test images are in another order: in reverse');
  }
  const first = seen.slice(0, pass).map(({ index }) => index);
  if (new Set(first).size < first.length) {
    return found('twice', 'some test images come twice, others never: in another order');
  }
  const told = first.slice(0, 4).join(', ');
  return found(
    'order',
    `test images are in another order, shuffled: ${told}, … where the reference has 0, 1, 2, 3, …`,
  );
}

function views(seen: readonly Seen[]): Explained {
  if (seen.every((way) => isPlain(way) && !way.upsideDown)) return 'right';
  const [one] = seen;
  if (seen.every((way) => sameView(way, one) && way.upsideDown === one.upsideDown)) {
    const flipped = one.flip ? 'mirrored and ' : one.upsideDown ? 'turned upside down and ' : '';
    return found(
      'alike',
      `test images are augmented: each is ${flipped}cropped at row ${one.top}, column ${one.left} of the padded image`,
    );
  }
  const flips = seen.filter(({ flip }) => flip).length;
  return found(
    'augmented',
    `test images are augmented: ${flips} of ${seen.length} flipped, and cropped here and there`,
  );
}

/** Why passes over the test images show others, by the names of what was judged. */
export function testFindings(
  tests: FedTests,
  { test, train, constants }: Given,
): Map<string, Finding> {
  const { batches, count } = tests;
  const { pass, finding: divided } = division(tests);
  const images = imagesOf(batches);
  const guesses = images.map((_, i) => plainly(i % pass));
  const own = look(images, guesses, test, constants);
  const others =
    own === undefined && train !== undefined ? look(images, guesses, train, constants) : undefined;
  const looked = own ?? others;
  const set: Explained =
    others === undefined
      ? 'right'
      : found('train', 'images of the training set, not of the test set');
  const seen = looked?.seen;
  const where: Explained[] =
    seen === undefined ? [] : [set, order(seen, pass, others === undefined ? count : train!.count)];
  const labelled = batches.flatMap(({ labels }) =>
    labels === undefined ? [] : [...toFloat64(labels)],
  );
  const labels = labelled.map((label, i) => ({ index: seen?.[i]?.index ?? i % pass, label }));
  const from = others === undefined ? test : train!;
  const wrongLabels = labels.some(({ index, label }) => from.labels[index] !== label);
  const told = new Map<string, Finding>();
  const put = (name: string, finding: Finding | undefined): void => {
    if (finding !== undefined) told.set(name, finding);
  };
  put(
    tests.labels,
    together([divided, ...where, explained(wrongLabels, labelsFinding(labels, from))]),
  );
  if (looked !== undefined) {
    put(tests.images, together([divided, ...where, ...looked.pixels, views(looked.seen)]));
  }
  return told;
}
