import { z } from 'zod';
import { InputError, UsageError } from '../errors.ts';
import { readFileOrFail } from '../io/readFile.ts';
import type { Method } from './verdict.ts';

/** The measures a limit can be set for. */
const methods = ['relative l2', 'scaled', 'mean'] as const satisfies readonly Method[];

const overrideSchema = z.strictObject({
  /** A tensor's name as the logs show it, or a pattern: `*` any characters, `?` one. */
  tensor: z.string().min(1),
  /** Largest error that passes. */
  limit: z.number().positive(),
  /** Why; shown wherever the limit applies. */
  reason: z.string().refine((text) => text.trim().length > 0, 'a reason must be written'),
  /** Which measure; by default the tensor's error to float64, or its mean difference where it has none. */
  method: z.enum(methods).optional(),
  /** Only for this model's reference. */
  model: z.string().optional(),
});

const fileSchema = z.strictObject({
  format: z.literal('swa-align-tolerances/1'),
  overrides: z.array(overrideSchema).min(1),
});

/** A limit for some tensors that somebody set by hand, and why. */
export type Override = z.infer<typeof overrideSchema>;

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

/** Whether a pattern names a tensor. */
export function matches(pattern: string, name: string): boolean {
  const literal = pattern.replace(/[.+^${}()|[\]\\]/g, '\\$&');
  return new RegExp(`^${literal.replaceAll('*', '.*').replaceAll('?', '.')}$`).test(name);
}

/** The override of a tensor: of several that match, the last one written. */
export const overrideOf = (overrides: readonly Override[], name: string): Override | undefined =>
  overrides.findLast(({ tensor }) => matches(tensor, name));

/** Those for one model's reference. */
export const overridesFor = (overrides: readonly Override[], model: string): Override[] =>
  overrides.filter((o) => o.model === undefined || o.model === model);

/** Throws UsageError when an override names none of the tensors there are: a typing mistake, or stale. */
export function checkMatches(
  overrides: readonly Override[],
  names: readonly string[],
  where: string,
): void {
  const idle = overrides.find(({ tensor }) => !names.some((name) => matches(tensor, name)));
  if (idle === undefined) return;
  throw new UsageError(`the override of "${idle.tensor}" matches no tensor of the reference`, {
    where,
    fix: 'write the name as the logs show it, or remove the entry',
  });
}
