import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { tolerances } from '../src/align/judge/tolerances.ts';
import { relativeError } from '../src/align/measure/relativeError.ts';
import { recorded, recordedNames } from '../src/align/reference/recorded.ts';
import { fixturesDirectory, openReference } from '../src/align/reference/reference.ts';
import { type ModelName, models } from '../src/nn/models/index.ts';
import { gradientOf, slotOf } from '../src/program/program.ts';

const names = Object.keys(models) as ModelName[];
const directory = (name: ModelName): string => join(fixturesDirectory, 'reference', name);

/** The first two came before there was a budget. */
const heavy: readonly ModelName[] = ['vgg16', 'vgg16bn'];

describe.each(names)('the reference of %s', (name) => {
  const reference = openReference(directory(name), name);
  const { manifest, model } = reference;
  const parameters = model.state.filter((s) => s.role === 'parameter').map((s) => s.name);

  it('knows every weight and buffer by its digest', () => {
    expect(Object.keys(manifest.weights.sha256)).toEqual(model.state.map((s) => s.name));
  });

  it('holds every gradient, and every weight and momentum after the last update', () => {
    const { file, kinkfree } = reference.stage('backward');
    const arrays = reference.arrays(file);
    for (let k = 0; k < kinkfree.settings.iterations; k++) {
      const found = recordedNames(arrays, `iter${k}/`);
      expect(found.sort()).toEqual(['loss', ...parameters.map(gradientOf)].sort());
    }
    const final = [
      ...model.state.map((s) => s.name),
      ...parameters.map((name) => slotOf(name, 'momentum')),
    ];
    expect(recordedNames(arrays, 'final/').sort()).toEqual(final.sort());
  });

  it.skipIf(name === 'vgg16bn')('has every stage', () => {
    const stages = ['forward', 'metric', 'loss', 'backward', 'train', 'swa'] as const;
    for (const stage of stages) expect(() => reference.stage(stage)).not.toThrow();
  });

  it.skipIf(heavy.includes(name))(
    'holds the largest of several errors, its own run’s among them',
    () => {
      const { cancelled } = reference.stage('backward').kinkfree;
      // Logits stand there as the last layer's output; a loss is a single number; what is cancelled is zero but for rounding.
      const without = new Set([
        ...['logits', 'loss'],
        ...cancelled.flatMap((name) => [name, gradientOf(name), slotOf(name, 'momentum')]),
      ]);
      const hasErrors = (name: string): boolean =>
        !without.has(name.replace(/^(iter\d+|final)\//, ''));
      for (const stage of ['forward', 'backward'] as const) {
        const arrays = reference.arrays(reference.stage(stage).file);
        const measured = [...arrays.keys()].filter((key) => key.startsWith('rounding/'));
        const expected = recordedNames(arrays, '').filter(hasErrors);
        expect(measured.sort(), 'recorded with other_orders, by the plan').toEqual(
          expected.map((name) => `rounding/${name}`).sort(),
        );
        const found = measured.map((key) => {
          const record = recorded(arrays, key.slice('rounding/'.length))!;
          const own = relativeError(record.pytorch, record.truth);
          expect(record.rounding, key).toBeGreaterThanOrEqual(own);
          expect(record.rounding, key).toBeLessThan(2e-4);
          return record.rounding!;
        });
        // PyTorch's channels-last kernels are that coarse in a few; there the upper bound is the gate.
        const beyond = found.filter((error) => error > tolerances.relativeL2BatchNorm);
        expect(beyond.length / found.length).toBeLessThan(0.02);
      }
    },
  );

  it.runIf(name === 'vgg16bn' || name === 'preresnet110')('has a small run', () => {
    expect(() => reference.stage('epochs')).not.toThrow();
  });

  it.skipIf(heavy.includes(name))('takes no more than 1.6 MB', () => {
    const files = readdirSync(directory(name)).map((file) => join(directory(name), file));
    const bytes = files.reduce((sum, file) => sum + statSync(file).size, 0);
    expect(bytes).toBeLessThanOrEqual(1.6e6);
  });
});
