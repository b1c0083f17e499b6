import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { InputError } from '../../errors.ts';
import { fixturesDirectory } from '../../fixtures.ts';
import { readFileOrFail } from '../../io/readFile.ts';
import { sha256Hex } from '../../io/sha256/sha256.ts';
import type { TensorMap } from '../../tensor/tensor.ts';
import { tolerances } from '../judge/tolerances.ts';
import { recorded } from '../reference/recorded.ts';
import { startingWeights } from '../reference/seedWeights.ts';
import { sameStart } from './sameStart.ts';
import type { Stage } from './stage.ts';

/** A reference model's forward graph as PyTorch exports it to ONNX, its weights left to be fed. */
export interface ExportedModel {
  readonly bytes: Uint8Array;
  /** PyTorch that exported it. */
  readonly torch: string;
}

const sourceSchema = z.object({ torch: z.string(), sha256: z.record(z.string(), z.string()) });

const fix = 'write it again with fixtures/export_onnx.py';

/** Undefined where none was exported. Throws InputError for a damaged one. */
export function exportedModel(
  model: string,
  directory: string = join(fixturesDirectory, 'onnx'),
): ExportedModel | undefined {
  const path = join(directory, `${model}.onnx`);
  if (!existsSync(path)) return undefined;
  const sourcePath = join(directory, 'source.json');
  const text = new TextDecoder().decode(readFileOrFail(sourcePath, { fix }));
  const source = sourceSchema.safeParse(parsed(text));
  if (!source.success)
    throw new InputError('does not say where the graphs are from', { where: sourcePath, fix });
  const bytes = readFileOrFail(path, { fix });
  if (sha256Hex(bytes) !== source.data.sha256[`${model}.onnx`]) {
    throw new InputError('is not the file that was exported', { where: path, fix });
  }
  return { bytes, torch: source.data.torch };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const images = 'inputs/fake_data.npy';

/** The stage *forward*, of logits only, by whatever runs an exported model. */
export const exportedForward =
  (run: (feeds: TensorMap) => Promise<TensorMap>): Stage =>
  () => [
    sameStart,
    {
      async run(context) {
        const feeds = new Map([
          ...startingWeights(context),
          ['images', context.reference.input(images)],
        ]);
        const logits = (await run(feeds)).get('logits')!;
        return { recording: new Map([['logits', logits]]), inputs: [images] };
      },
      expect({ reference }) {
        const record = recorded(reference.arrays(reference.stage('forward').file), 'logits')!;
        const tolerance = { relativeL2: tolerances.relativeL2 };
        return [{ name: 'logits', rule: { kind: 'float64', record, tolerance } }];
      },
    },
  ];
