import { UsageError } from '../errors.ts';
import { printable } from './names.ts';
import { quoted } from './numpy/arrays.ts';
import { unnamedArray } from './numpy/npy.ts';

/** Which names of a file are wanted, and what they are called then. */
export interface Part {
  readonly names: ReadonlyMap<string, string>;
  readonly notes: readonly string[];
}

const whole = (names: readonly string[], notes: readonly string[] = []): Part => ({
  names: new Map(names.map((name) => [name, name])),
  notes,
});

/** The part of `names` under which lie just the names in `others`, if there is one: `state_dict`. */
export function partLike(names: readonly string[], others: readonly string[]): string | undefined {
  const [some] = others;
  const found = names.find((name) => name.endsWith(`/${some}`));
  const part = found?.slice(0, -some.length - 1);
  if (part === undefined) return undefined;
  const inside = names.filter((name) => name.startsWith(`${part}/`));
  const rest = new Set(inside.map((name) => name.slice(part.length + 1)));
  return rest.size === others.length && others.every((name) => rest.has(name)) ? part : undefined;
}

/**
 * The names under `key` (`state_dict`, `optimizer/state/0`), without it. A file of bare names has no such
 * parts and is taken whole, so that it can be held against a part of another. Throws UsageError naming
 * `where`, and what there is, when other parts are all that it has.
 */
export function partOf(names: readonly string[], key: string | undefined, where: string): Part {
  if (key === undefined) return whole(names);
  const inside = `${key.replace(/\/$/, '')}/`;
  const found = names.flatMap((name): [string, string][] => {
    if (`${name}/` === inside) return [[name, unnamedArray]];
    return name.startsWith(inside) ? [[name, name.slice(inside.length)]] : [];
  });
  if (found.length > 0) return { names: new Map(found), notes: [] };
  if (!names.some((name) => name.includes('/'))) {
    return whole(names, [`has no parts, so all of it is taken, not '${printable(key)}'`]);
  }
  const parts = [...new Set(names.map((name) => name.split('/', 1)[0]))];
  throw new UsageError(`holds nothing under '${printable(key)}'`, {
    where,
    fix: `--key takes ${quoted(parts)}, or a path under one`,
  });
}
