import { adam, adamw } from './adam.ts';
import { rmsprop } from './rmsprop.ts';
import type { Rule } from './rule.ts';
import { sgd } from './sgd.ts';

/** The optimizers whose step is computed again, by torch.optim's names in lower case. */
const rules = { sgd, adam, adamw, rmsprop } as const;

/** Undefined for any other optimizer. */
export const ruleOf = (kind: unknown): Rule<unknown> | undefined =>
  typeof kind === 'string' && Object.hasOwn(rules, kind.toLowerCase())
    ? (rules[kind.toLowerCase() as keyof typeof rules] as unknown as Rule<unknown>)
    : undefined;
