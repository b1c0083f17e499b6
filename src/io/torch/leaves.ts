import type { InputError } from '../../errors.ts';
import { memoryBudget } from '../budget.ts';
import { isPickledArray } from '../numpy/numpyPickle.ts';
import { isKind, type PickleValue, pickleType } from '../pickle/pickleValue.ts';
import { isUnreadTensor } from './torchPickle.ts';

/** A value that holds no others, and where it is: `optimizer/state/0/momentum_buffer`. */
export interface Leaf {
  /** undefined for the value itself, where it holds nothing. */
  readonly path: string | undefined;
  readonly value: PickleValue;
}

/** Far deeper than what anybody saves, and no danger to the call stack. */
const MAX_DEPTH = 100;
const MAX_PATH = 1024;
const leafBytes = 64;

const plainKeys: ReadonlyMap<PickleValue, string> = new Map([
  [null, 'None'],
  [true, 'True'],
  [false, 'False'],
]);

/** A key of a dict in a path, as Python prints it where that is short. */
function keyText(key: PickleValue): string {
  const plain = plainKeys.get(key);
  if (plain !== undefined) return plain;
  if (isKind(key, 'tuple')) return `(${key.items.slice(0, 8).map(innerKey).join(', ')})`;
  return typeof key === 'object' ? pickleType(key) : String(key);
}

const innerKey = (key: PickleValue): string =>
  isKind(key, 'tuple') ? 'tuple' : typeof key === 'string' ? `'${key.slice(0, 80)}'` : keyText(key);

type Parts = readonly (readonly [key: string, value: PickleValue])[];

const counted = (items: readonly PickleValue[]): Parts =>
  items.map((item, i) => [String(i), item] as const);
const keyed = (entries: ReadonlyMap<PickleValue, PickleValue>): Parts =>
  [...entries].map(([key, value]) => [keyText(key), value] as const);
/** Attributes are as good as entries; of `(dict, slots)` both are. */
const attributes = (state: PickleValue | undefined): Parts =>
  state === undefined ? [] : isKind(state, 'dict') ? keyed(state.entries) : [['state', state]];

/** What a value holds, or undefined where it is a leaf. */
function partsOf(value: PickleValue): Parts | undefined {
  if (isKind(value, 'list') || isKind(value, 'tuple')) return counted(value.items);
  if (isKind(value, 'set')) return counted(value.items);
  if (isKind(value, 'dict')) return keyed(value.entries);
  if (isPickledArray(value) && value.objects !== undefined) return counted(value.objects);
  if (!isKind(value, 'opaque') || isUnreadTensor(value)) return undefined;
  const { args, items = [], entries = new Map(), state } = value;
  const parts = [
    ...counted(args).map(([key, arg]) => [`args/${key}`, arg] as const),
    ...counted(items),
    ...keyed(entries),
    ...attributes(state),
  ];
  return parts.length > 0 ? parts : undefined;
}

/**
 * Every leaf of a value by its path, in order. What is shared is there once for each path, what holds itself
 * once. Throws `damaged` when the paths outgrow what a file of `fileBytes` may unfold to, or are too deep.
 */
export function leavesOf(
  root: PickleValue,
  fileBytes: number,
  damaged: (what: string) => InputError,
): Leaf[] {
  const spend = memoryBudget(fileBytes, (limit) => damaged(`unfolds to more than ${limit}`));
  const leaves: Leaf[] = [];
  const above = new Set<PickleValue>();
  const walk = (value: PickleValue, path: string | undefined): void => {
    spend(leafBytes + 2 * (path?.length ?? 0));
    if (above.has(value)) return;
    const parts = partsOf(value);
    if (parts === undefined) {
      leaves.push({ path, value });
      return;
    }
    if (above.size === MAX_DEPTH) throw damaged(`is nested more than ${MAX_DEPTH} deep`);
    above.add(value);
    for (const [key, part] of parts) {
      if (key.length + (path?.length ?? 0) > MAX_PATH) {
        throw damaged(`has names of more than ${MAX_PATH} characters`);
      }
      walk(part, path === undefined ? key : `${path}/${key}`);
    }
    above.delete(value);
  };
  walk(root, undefined);
  return leaves;
}
