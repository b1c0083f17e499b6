import { z } from 'zod';
import { InputError, UsageError } from '../../errors.ts';
import { readFileOrFail } from '../../io/readFile.ts';
import { modelName } from '../../nn/models/index.ts';
import { recordedNames } from '../reference/recorded.ts';
import type { Reference } from '../reference/reference.ts';
import { type Check, check, type Method, passed, type Verdict } from './verdict.ts';

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

/** What the limit stands in for: the bound beside PyTorch's error falls away with the upper bound. */
function overridden(
  checks: readonly Check[],
  method: Method,
  { limit, reason }: Override,
): Check[] {
  const before = checks.find((c) => c.method === method)?.threshold ?? limit;
  return checks.flatMap((c): Check[] => {
    const { value, threshold, pytorch } = c;
    const note = `limit set by hand: ${reason}`;
    const more = pytorch === undefined ? { note } : { note, pytorch };
    if (c.method === method) return [check(method, value, limit, more)];
    if (method === 'mean') return [c];
    // The moments' share is of what that limit allows.
    if (c.method === 'moments') return [check('moments', value * (before / limit), threshold)];
    return c.method === 'ratio' ? [] : [c];
  });
}

/**
 * A verdict under the limit set for its tensor, if there is one. What could not be measured stays a
 * failure. Throws UsageError when the tensor is not judged by the measure the override names.
 */
export function withOverride(verdict: Verdict, overrides: readonly Override[]): Verdict {
  const override = overrideOf(overrides, verdict.name);
  if (override === undefined || verdict.problem !== undefined) return verdict;
  const { tensor, limit, reason } = override;
  const has = (method: Method): boolean => verdict.checks.some((c) => c.method === method);
  const method = override.method ?? methods.find(has);
  if (method === undefined || !has(method)) {
    throw new UsageError(
      `the override of "${tensor}" sets a limit ${verdict.name} is not judged by`,
      {
        fix: `its measures are ${[...new Set(verdict.checks.map((c) => c.method))].join(', ')}`,
      },
    );
  }
  const checks = overridden(verdict.checks, method, override);
  const judged = { ...verdict, checks, override: { tensor, limit, reason } };
  if (!passed(judged)) return judged;
  const { worst: _, ...good } = judged;
  return good;
}

/** The override of a tensor: of several that match, the last one written. */
export const overrideOf = (overrides: readonly Override[], name: string): Override | undefined =>
  overrides.findLast(({ tensor }) => matches(tensor, name));

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
    const found = asked.some(({ names }) => names.some((name) => matches(override.tensor, name)));
    return asked.length > 0 && !found;
  });
  if (idle === undefined) return;
  throw new UsageError(`the override of "${idle.tensor}" matches no tensor of the reference`, {
    where,
    fix: 'write the name as the logs show it, or remove the entry',
  });
}
