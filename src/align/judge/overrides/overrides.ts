import { UsageError } from '../../../errors.ts';
import { type Check, type CheckMethod, check, passed, type Verdict } from '../verdict.ts';
import { fits } from './glob.ts';

/** The measures a limit can be set for. */
export const overrideMethods = [
  'relative l2',
  'scaled',
  'mean',
] as const satisfies readonly CheckMethod[];

/** A limit for some tensors that somebody set by hand, and why. */
export interface Override {
  /** A name or a pattern of names. */
  readonly tensor: string;
  readonly limit: number;
  readonly reason: string;
  readonly method?: (typeof overrideMethods)[number] | undefined;
  readonly model?: string | undefined;
}

/** What the limit stands in for: the bound beside PyTorch's error falls away with the upper bound. */
function overridden(
  checks: readonly Check[],
  method: CheckMethod,
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
  const has = (method: CheckMethod): boolean => verdict.checks.some((c) => c.method === method);
  const method = override.method ?? overrideMethods.find(has);
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
  overrides.findLast(({ tensor }) => fits(name, [tensor]));
