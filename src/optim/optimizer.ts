import type { Node } from '../ir/node.ts';
import { type AdamSettings, adam, adamw } from './adam.ts';
import type { Parameter, Rule, Updated } from './rule.ts';
import { type SgdSettings, sgd } from './sgd.ts';

/** Optimizers by torch.optim's names in lower case, and their settings. */
interface SettingsByKind {
  sgd: SgdSettings;
  adam: AdamSettings;
  adamw: AdamSettings;
}

type Kind = keyof SettingsByKind;

const rules: { readonly [K in Kind]: Rule<SettingsByKind[K]> } = { sgd, adam, adamw };

/** One optimizer and its settings, as data. */
export type OptimizerSettings = {
  readonly [K in Kind]: { readonly kind: K } & SettingsByKind[K];
}[Kind];

const ruleOf = (settings: OptimizerSettings) => rules[settings.kind] as Rule<OptimizerSettings>;

/** What is kept beside every parameter from step to step: `momentum`; `exp_avg`, `exp_avg_sq`. */
export const slotsOf = (settings: OptimizerSettings): readonly string[] => ruleOf(settings).slots;

/** The numbers that step `t`, counted from 1, is fed, by the names of a training step's inputs. */
export const scalarsAt = (
  settings: OptimizerSettings,
  lr: number,
  t: number,
): Readonly<Record<string, number>> => ruleOf(settings).scalars(settings, lr, t);

/** The graph of one step for one parameter. */
export const updateOf = (
  settings: OptimizerSettings,
  parameter: Parameter,
  slots: Readonly<Record<string, Node>>,
  scalars: Readonly<Record<string, Node>>,
): Updated => ruleOf(settings).update(settings, parameter, slots, scalars);
