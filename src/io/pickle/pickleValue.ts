import type { InputError } from '../../errors.ts';
import { printable } from '../names.ts';
import { MAX_RANK } from '../shapeCheck.ts';

/** What a pickle can build here. Python's ints are numbers while exact, bigints beyond 2^53. */
export type PickleValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | PickleTuple
  | PickleList
  | PickleSet
  | PickleDict
  | PickleGlobal
  | PickleObject
  | PickleOpaque;

export interface PickleTuple {
  readonly kind: 'tuple';
  readonly items: readonly PickleValue[];
}

export interface PickleList {
  readonly kind: 'list';
  readonly items: PickleValue[];
}

export interface PickleSet {
  readonly kind: 'set';
  readonly items: PickleValue[];
}

export interface PickleDict {
  readonly kind: 'dict';
  readonly entries: Map<PickleValue, PickleValue>;
}

/**
 * What a function or class without a rule here would have made: what it was given, as data. It has never
 * run, and whoever needs the thing itself refuses it by its name.
 */
export interface PickleOpaque {
  readonly kind: 'opaque';
  /** The function or class, as `module.name`. */
  readonly name: string;
  readonly args: readonly PickleValue[];
  /** What was appended to it afterwards. */
  items?: PickleValue[];
  /** What was set in it by key. */
  entries?: Map<PickleValue, PickleValue>;
  /** Its attributes, mostly a dict. */
  state?: PickleValue;
}

/** What a rule may use: an error in the file's name, and the memory it is about to take. */
export interface PickleContext {
  readonly damaged: (what: string) => InputError;
  readonly spend: (bytes: number) => void;
}

/**
 * Our own stand-in for a named Python function or class. undefined: these arguments it cannot make
 * anything of, and the value stays opaque.
 */
export type PickleRule = (
  args: readonly PickleValue[],
  context: PickleContext,
) => PickleValue | undefined;

/** The names that are understood, as `module.name`. All others are kept as marks, and never run. */
export type PickleGlobals = ReadonlyMap<string, PickleRule>;

/** A named function or class, a mere mark where there is no rule. */
export interface PickleGlobal {
  readonly kind: 'global';
  readonly name: string;
  readonly rule: PickleRule | undefined;
}

/** Anything a rule returned that is no plain value; rules extend it and tell theirs by `type`. */
export interface PickleObject {
  readonly kind: 'object';
  readonly type: string;
  /** Takes the state of a BUILD instruction. */
  readonly build?: (state: PickleValue, context: PickleContext) => void;
}

type Compound = Extract<PickleValue, { readonly kind: string }>;

/** Whether `value` is a compound of this kind. */
export const isKind = <K extends Compound['kind']>(
  value: PickleValue | undefined,
  kind: K,
): value is Extract<Compound, { readonly kind: K }> =>
  typeof value === 'object' && value !== null && 'kind' in value && value.kind === kind;

const plainTypes: { readonly [type: string]: string } = {
  boolean: 'bool',
  number: 'number',
  bigint: 'int',
  string: 'str',
};

/** A short name for messages: the Python type. */
export function pickleType(value: PickleValue | undefined): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'None';
  if (typeof value !== 'object') return plainTypes[typeof value];
  if (value instanceof Uint8Array) return 'bytes';
  if (value.kind === 'object') return value.type;
  return value.kind === 'global' || value.kind === 'opaque' ? printable(value.name) : value.kind;
}

/** The items of a tuple or list whose every item is a size or offset; otherwise undefined. */
export function sizesOf(value: PickleValue | undefined): number[] | undefined {
  if (!isKind(value, 'tuple') && !isKind(value, 'list')) return undefined;
  // Read anew for each array that names it, so a long one would cost its length every time.
  if (value.items.length > MAX_RANK) return undefined;
  const sizes: number[] = [];
  for (const item of value.items) {
    if (typeof item !== 'number' || !Number.isSafeInteger(item) || item < 0) return undefined;
    sizes.push(item);
  }
  return sizes;
}
