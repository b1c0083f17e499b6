import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { recorded } from '../../../align/reference/recorded.ts';
import { openReference } from '../../../align/reference/reference.ts';
import { fixturesDirectory } from '../../../fixtures.ts';
import { toFloat64 } from '../../../tensor/tensor.ts';
import { type Classified, type Lost, losses } from '../../losses/classified.ts';
import { bell, smoothly, told } from '../../testdata/told.ts';

const [images, classes] = [4, 5];
const size = images * classes;

const batchOf = (logits: ArrayLike<number>, labels: ArrayLike<number>): Classified => ({
  logits: Float64Array.from(logits),
  labels: Float64Array.from(labels),
  classes,
  first: (n) => n * classes,
  stride: 1,
});

const labelled = fc.tuple(
  bell(size, 2),
  fc.array(fc.integer({ min: 0, max: classes - 1 }), { minLength: images, maxLength: images }),
);

/** What is said of a loss and its gradient, where PyTorch's is plain cross-entropy. */
const causes = (logits: ArrayLike<number>, labels: ArrayLike<number>, ours: Lost) => {
  const right = losses[0].of(batchOf(logits, labels));
  return told([
    { name: 'head.output', shape: [images, classes], kind: 'output', truth: logits },
    { name: 'input.1', shape: [images], kind: 'input', truth: labels },
    {
      name: 'loss',
      shape: [],
      kind: 'loss',
      truth: [right.loss],
      ours: [ours.loss],
      from: ['head.output', 'input.1'],
    },
    {
      name: 'head.output.grad',
      shape: [images, classes],
      kind: 'output gradient',
      truth: right.gradient,
      ours: ours.gradient,
    },
  ]).map(({ cause }) => cause?.says);
};

describe('a loss', () => {
  it('that is right is PyTorch’s', () => {
    const reference = openReference(join(fixturesDirectory, 'reference', 'vgg16'), 'vgg16');
    const arrays = reference.arrays(reference.stage('ops').file);
    const [x, labels] = ['x', 'labels'].map((k) => arrays.get(`given/crossEntropy/${k}`)!);
    const { loss, gradient } = losses[0].of(batchOf(toFloat64(x), toFloat64(labels)));
    expect(loss).toBeCloseTo(toFloat64(recorded(arrays, 'crossEntropy/loss')!.truth)[0], 12);
    toFloat64(recorded(arrays, 'crossEntropy/x.grad')!.truth).forEach((g, i) => {
      expect(gradient[i]).toBeCloseTo(g, 12);
    });
  });

  it('has the gradient that its differences have', () => {
    const step = 1e-5;
    fc.assert(
      fc.property(labelled, fc.constantFrom(...losses), ([logits, labels], { of }) => {
        const { gradient } = of(batchOf(logits, labels));
        for (let i = 0; i < size; i++) {
          const at = (by: number) =>
            of(
              batchOf(
                Float64Array.from(logits, (x, k) => (k === i ? x + by : x)),
                labels,
              ),
            ).loss;
          expect(gradient[i]).toBeCloseTo((at(step) - at(-step)) / (2 * step), 6);
        }
      }),
      { numRuns: 60 },
    );
  });

  it('with one thing changed is told as that', () => {
    fc.assert(
      fc.property(labelled, fc.constantFrom(...losses.slice(1)), ([logits, labels], loss) => {
        const ours = loss.of(batchOf(logits, labels));
        const same = losses.filter(
          ({ of }) => Math.abs(of(batchOf(logits, labels)).loss - ours.loss) < 1e-5,
        );
        const [first] = causes(logits, labels, ours);
        // What gives one number may be another that does.
        expect(same.map(({ says }) => says)).toContain(first ?? '');
        expect(causes(logits, labels, ours)[1]).toBeDefined();
      }),
      { numRuns: 100 },
    );
  });

  it('with label smoothing, class weights or a class left out: by the gradient beside it', () => {
    const counted = [1, 3, 3, 2];
    const weigh = (logits: ArrayLike<number>, weight: (label: number) => number): Lost => {
      const batch = batchOf(logits, counted);
      const all = counted.reduce((sum, y) => sum + weight(y), 0);
      const each = counted.map((y, n) => {
        const one = losses[0].of({
          ...batch,
          labels: Float64Array.of(y),
          first: () => n * classes,
        });
        return { share: weight(y) / all, one };
      });
      return {
        loss: each.reduce((sum, { share, one }) => sum + share * one.loss, 0),
        gradient: batch.logits.map((_, i) =>
          each.reduce((sum, { share, one }) => sum + share * one.gradient[i], 0),
        ),
      };
    };
    const smooth = (logits: ArrayLike<number>, epsilon: number): Lost => {
      const parts = Array.from({ length: classes }, (_, c) =>
        losses[0].of(
          batchOf(
            logits,
            counted.map(() => c),
          ),
        ),
      );
      const plain = losses[0].of(batchOf(logits, counted));
      const mixed = (a: number, rest: number[]) =>
        (1 - epsilon) * a + (epsilon / classes) * rest.reduce((x, y) => x + y, 0);
      return {
        loss: mixed(
          plain.loss,
          parts.map(({ loss }) => loss),
        ),
        gradient: plain.gradient.map((g, i) =>
          mixed(
            g,
            parts.map(({ gradient }) => gradient[i]),
          ),
        ),
      };
    };
    fc.assert(
      fc.property(bell(size, 2), fc.constantFrom(0.1, 0.05, 0.3), (logits, epsilon) => {
        const says = `label smoothing of ${epsilon} is on, the reference has none`;
        expect(causes(logits, counted, smooth(logits, epsilon))).toEqual([says, says]);
        const out = weigh(logits, (y) => (y === 3 ? 0 : 1));
        expect(causes(logits, counted, out)[0]).toMatch(/^images of class 3 are left out/);
        const heavy = weigh(logits, (y) => [1, 2, 0.5, 3, 1][y]);
        expect(causes(logits, counted, heavy)[0]).toMatch(/^images count by their class/);
      }),
      { numRuns: 25 },
    );
  });

  it('is not told of a smooth perturbation', () => {
    fc.assert(
      fc.property(
        labelled,
        fc.constantFrom(1e-4, 1e-2, 0.3),
        fc.double({ min: 0, max: 6, noNaN: true }),
        ([logits, labels], off, phase) => {
          const right = losses[0].of(batchOf(logits, labels));
          const gradient = smoothly(right.gradient, off, phase);
          const [, of] = causes(logits, labels, { loss: right.loss * (1 + off / 3), gradient });
          expect(of).toBeUndefined();
        },
      ),
      { numRuns: 100 },
    );
  });
});
