import { UsageError } from '../../errors.ts';
import { fits } from './overrides/glob.ts';

/** Which names are asked for. */
export interface NameChoice {
  /** Only those that fit one of these. */
  readonly only?: readonly string[];
  /** Not those that fit one of these. */
  readonly except?: readonly string[];
}

/** The names that are asked for, in their order. Throws UsageError for a pattern that fits none, and where none is left. */
export function chosen(
  names: readonly string[],
  { only, except = [] }: NameChoice,
  where: string,
  called: string,
): string[] {
  for (const glob of [...(only ?? []), ...except]) {
    if (!names.some((name) => fits(name, [glob])))
      throw new UsageError(`"${glob}" matches no ${called}`, {
        where,
        fix: 'a pattern must match a whole name; * is any text',
      });
  }
  const left = names.filter(
    (name) => (only === undefined || fits(name, only)) && !fits(name, except),
  );
  if (left.length > 0) return left;
  throw new UsageError(`no ${called} is left to judge`, { where, fix: 'give other patterns' });
}
