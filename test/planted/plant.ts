import type { StageName } from '../../src/align/reference/manifest.ts';
import type { CauseToRead } from './causes.ts';
import type { Rewrite } from './rewriteProgram.ts';

/** A module of ours, by its path below src/. */
type Exports = Readonly<Record<string, unknown>>;

export type Plant =
  | { readonly kind: 'graph'; readonly rewrite: Rewrite }
  | {
      readonly kind: 'module';
      readonly path: string;
      /** The exports that take the place of the real ones. */
      readonly change: (real: Exports, took: () => void) => Exports;
    };

export type ModelName = 'vgg16' | 'vgg16bn' | 'preresnet110';

/** One stage of one model's reference. */
export interface Look {
  readonly model: ModelName;
  readonly stage: StageName;
}

/** Every stage, the cheap ones first. */
export const allLooks: readonly Look[] = [
  { model: 'vgg16', stage: 'ops' },
  { model: 'vgg16', stage: 'loss' },
  { model: 'vgg16', stage: 'forward' },
  { model: 'vgg16bn', stage: 'loss' },
  { model: 'vgg16bn', stage: 'forward' },
  { model: 'vgg16bn', stage: 'epochs' },
  { model: 'preresnet110', stage: 'epochs' },
  { model: 'vgg16', stage: 'swa' },
  { model: 'vgg16bn', stage: 'swa' },
  { model: 'vgg16', stage: 'metric' },
  { model: 'vgg16', stage: 'backward' },
  { model: 'vgg16bn', stage: 'backward' },
  { model: 'vgg16', stage: 'train' },
  { model: 'vgg16bn', stage: 'ddp' },
];

/** A mistake that people make in ports, and how it is made on our side. */
export interface PlantedBug {
  readonly name: string;
  /** What people do, or what they come from. */
  readonly people: string;
  readonly plants: readonly Plant[];
  /** What the diagnosis should say of it: by the mistake, whether or not anything can tell it today. */
  readonly cause: CauseToRead;
  /** The stage that is to catch it, and what its first failing verdict must name. */
  readonly caught: Look & { readonly at: string };
}

export interface Family {
  readonly name: string;
  /** Where its mistakes are looked for first; all other stages follow. */
  readonly looks: readonly Look[];
  readonly bugs: readonly PlantedBug[];
}

/** Nodes of every program rewritten before it is compiled. */
export const inGraph = (rewrite: Rewrite): Plant => ({ kind: 'graph', rewrite });

/**
 * Exports of one module replaced; `M` is the module's type. Calls of replaced functions are counted; where what is
 * replaced is a table, `took` says that the wrong entry was used.
 */
export const inModule = <M extends object>(
  path: string,
  change: (real: M, took: () => void) => { readonly [K in keyof M]?: M[K] },
): Plant => ({
  kind: 'module',
  path,
  change: (real, took) => change(real as M, took) as Exports,
});
