import { join } from 'node:path';
import { z } from 'zod';
import { InputError } from '../../errors.ts';
import { readFileOrFail } from '../../io/readFile.ts';
import { weightKinds } from '../../io/torch/weightSets.ts';
import { checkNarrow, type ModelName, models } from '../../nn/models/index.ts';
import { datasetNames, settingsSchema } from '../settings/trainingSettings.ts';

/*
 * config.json of an exported directory: which network its weights are of. Names as on Hugging Face's Hub, where it has
 * some; what is not known is left out.
 */

export const configFile = 'config.json';
export const weightsFile = 'model.safetensors';
export const onnxFile = 'onnx/model.onnx';

export const modelFormat = 'swa-align model/1';

export const modelConfigSchema = z.looseObject({
  format: z.literal(modelFormat),
  model_type: z.enum(Object.keys(models) as [ModelName, ...ModelName[]]),
  architectures: z.array(z.string()),
  /** By how much every width of the network is divided. */
  narrow: z.int().min(1),
  num_labels: z.int().min(1),
  id2label: z.record(z.string(), z.string()).optional(),
  label2id: z.record(z.string(), z.int()).optional(),
  num_channels: z.int().min(1),
  image_size: z.int().min(1),
  /** Whose layout the images had that it was trained on. */
  dataset: z.enum(datasetNames).optional(),
  weights: z.enum(weightKinds).optional(),
  /** The settings of its run. */
  training: settingsSchema.optional(),
  /** SHA-256 of the files of weights beside it. */
  sha256: z.record(z.string(), z.string()),
});

export type ModelConfig = Readonly<z.infer<typeof modelConfigSchema>>;

/** Reads the config.json of an exported directory. Throws InputError, naming the file. */
export function readModelConfig(dir: string): ModelConfig {
  const where = join(dir, configFile);
  const fix = 'name a directory that export --format hf wrote';
  const text = new TextDecoder().decode(readFileOrFail(where, { fix }));
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new InputError('is not JSON', { where, fix });
  }
  const parsed = modelConfigSchema.safeParse(value);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const at = issue.path.join('.');
    throw new InputError(`does not describe one of our models: ${at}: ${issue.message}`, {
      where,
      fix,
    });
  }
  checkNarrow(parsed.data.model_type, parsed.data.narrow, where);
  return parsed.data;
}
