import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { readRecording } from '../../src/io/recording.ts';
import { openReference } from '../../src/port/openReference.ts';
import { hasRecorderTorch } from '../support/pythons.ts';
import { recordingsOf } from '../support/recordings.ts';
import { type Comfort, falseComfort } from './falseComfort.ts';

/** Milliseconds that Python may take on a machine that has other work. */
const slowest = 600_000;

const script = fileURLToPath(new URL('../port/networks.py', import.meta.url));
const networks = ['resnet', 'mobilenet', 'vit', 'gpt', 'lstm'];
const perturbations = 200;
const share = 0.01;

describe.skipIf(!hasRecorderTorch)('no false comfort (needs PyTorch 2.1)', () => {
  let dir: string;
  beforeAll(async () => {
    dir = await recordingsOf(script);
  }, slowest);

  it('no row of the table explains smooth perturbations of what is right', () => {
    const found = networks.flatMap((network, seed) =>
      falseComfort(
        openReference(join(dir, network)),
        readRecording(join(dir, `${network}.npz`)).tensors,
        perturbations / networks.length,
        seed,
      ),
    );
    const byRow = new Map<string, Comfort[]>();
    for (const one of found) byRow.set(one.row, [...(byRow.get(one.row) ?? []), one]);
    const tooOften = [...byRow].filter(([, told]) => told.length > share * perturbations);
    expect(tooOften).toEqual([]);
  });
});
