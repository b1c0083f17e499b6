import { UsageError } from '../../errors.ts';
import { publishedRecipes } from './publishedRecipes.ts';
import { type GivenSettings, recipe } from './trainingSettings.ts';

/** Settings that go together. A flag of its own overrides its profile. */
export const profiles: Readonly<Record<string, GivenSettings>> = {
  /** The authors' recipe. */
  swa: { dropout: true, lrInit: recipe.lrInit, wd: recipe.wd },
  /** What the Paddle port's check of the backward pass ran with; its own training run had lr 0.05 and wd 5e-4. */
  ncpaddle: { dropout: false, lrInit: 0.1, wd: 1e-4 },
  ...Object.fromEntries(
    Object.entries(publishedRecipes).map(([name, { settings }]) => [name, settings]),
  ),
};

/** The settings of a named profile. Throws UsageError for an unknown one. */
export function profileSettings(name: string): GivenSettings {
  if (Object.hasOwn(profiles, name)) return profiles[name];
  throw new UsageError(`there is no profile "${name}"`, {
    fix: '`swa-align profiles` lists them',
  });
}
