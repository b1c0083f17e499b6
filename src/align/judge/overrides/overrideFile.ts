import { z } from 'zod';
import { InputError, UsageError } from '../../../errors.ts';
import { readFileOrFail } from '../../../io/readFile.ts';
import { modelName } from '../../../nn/models/index.ts';
import { recordedNames } from '../../reference/recorded.ts';
import type { Reference } from '../../reference/reference.ts';
import { fits } from './glob.ts';
import { type Override, overrideMethods } from './overrides.ts';

const overrideSchema = z.strictObject({
  /** A tensor's name as the logs show it, or a pattern: `*` any characters, `?` one. */
  tensor: z.string().min(1),
  /** Largest error that passes. */
  limit: z.number().positive(),
  /** Why; shown wherever the limit applies. */
  reason: z.string().refine((text) => text.trim().length > 0, 'a reason must be written'),
  /** Which measure; by default the tensor's error to float64, or its mean difference where it has none. */
  method: z.enum(overrideMethods).optional(),
  /** Only for this model's reference. */
  model: z.string().optional(),
});

const fileSchema = z.strictObject({
  format: z.literal('swa-align-tolerances/1'),
  overrides: z.array(overrideSchema).min(1),
});

/**
 * Reads a tolerance file. Throws InputError when it is no such file, naming the entry, above all when an
 * entry gives no reason.
 */
export function readOverrides(path: string): Override[] {
  const fix = 'docs/tolerances.md shows one';
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder().decode(readFileOrFail(path, { fix })));
  } catch (error) {
    if (error instanceof InputError) throw error;
    throw new InputError('is not JSON', { where: path, fix });
  }
  const parsed = fileSchema.safeParse(json);
  if (parsed.success) return parsed.data.overrides;
  const [issue] = parsed.error.issues;
  const at = issue.path.join('.') || 'the file';
  const missing = issue.path.at(-1) === 'reason' ? 'every override needs a written reason' : fix;
  throw new InputError(`${at}: ${issue.message}`, { where: path, fix: missing });
}

/** Those for one model's reference. Throws UsageError where an entry names no model. */
export const overridesFor = (overrides: readonly Override[], model: string): Override[] =>
  overrides.filter((o) => o.model === undefined || modelName(o.model) === modelName(model));

/** Every tensor a reference holds, by the names that verdicts and traces give it. */
export const recordedTensors = ({ manifest, arrays }: Reference): string[] =>
  Object.keys(manifest.files).flatMap((file) => recordedNames(arrays(file), ''));

/**
 * Throws UsageError when an override names none of the tensors there are: a typing mistake, or stale. One
 * for a model that is not among the references is left alone.
 */
export function checkMatches(
  overrides: readonly Override[],
  references: readonly Reference[],
  where: string,
): void {
  const tensors = references.map((reference) => ({
    model: reference.manifest.model,
    names: recordedTensors(reference),
  }));
  const idle = overrides.find((override) => {
    const asked = tensors.filter(({ model }) => overridesFor([override], model).length > 0);
    const found = asked.some(({ names }) => names.some((name) => fits(name, [override.tensor])));
    return asked.length > 0 && !found;
  });
  if (idle === undefined) return;
  throw new UsageError(`the override of "${idle.tensor}" matches no tensor of the reference`, {
    where,
    fix: 'write the name as the logs show it, or remove the entry',
  });
}
