import { z } from 'zod';
import type { Probe } from '../align/reference/probe.ts';
import { InputError } from '../errors.ts';
import { printable } from '../io/names.ts';
import type { Tensor, TensorMap } from '../tensor/tensor.ts';
import { toPyTorch } from './layout.ts';

const entrySchema = z.strictObject({
  /** A tensor of the recording, or a pattern: `*` stands for any text, `\\*` for a star. */
  ours: z.string().min(1),
  /** The probe it is; each `*` is what stood there in `ours`. `null`: it is none, whatever it is called. */
  probe: z.string().min(1).nullable(),
  /** Order of its axes: `NHWC`, `in,out`, `NLC->NCL`, `NC->NC11`. */
  layout: z.string().optional(),
  /** Why somebody thinks so: for readers. */
  because: z.string().optional(),
});

const mapSchema = z.strictObject({
  format: z.literal('swa-align-names/1'),
  names: z.array(entrySchema).min(1),
});

/** Which tensor of a recording is which probe. */
export type NameMap = z.infer<typeof mapSchema>;

export type NameEntry = NameMap['names'][number];

const fix = 'docs/judge-your-port.md shows one';

/** A map from the text of its file. Throws InputError naming the entry that is wrong. */
export function parseNameMap(text: string, where: string): NameMap {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw new InputError('is not JSON', { where, fix });
  }
  const parsed = mapSchema.safeParse(json);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new InputError(`${issue.path.join('.') || 'the file'}: ${issue.message}`, { where, fix });
}

/** A name as an entry has it that means just this name. */
export const literal = (name: string): string => name.replaceAll('*', '\\*');

/** The texts between the stars of a pattern. */
const textsOf = (pattern: string): string[] =>
  pattern.split(/(?<!\\)\*/).map((text) => text.replaceAll('\\*', '*'));

/** What a map leads to. */
export interface NamedProbes {
  /** Throws InputError where there is none called so. */
  readonly probe: (name: string) => Pick<Probe, 'axes'>;
}

/** What an entry makes of a name of ours: a probe, null for none; undefined where it does not fit the name. */
export type Rename = (name: string) => string | null | undefined;

export function renameBy({ ours, probe }: Pick<NameEntry, 'ours' | 'probe'>): Rename {
  const from = textsOf(ours);
  const to = probe === null ? undefined : textsOf(probe);
  const filled = (stars: readonly string[]): string | null =>
    to?.reduce((text, next, i) => `${text}${stars[i - 1] ?? '*'}${next}`) ?? null;
  if (from.length === 1) return (name) => (name === from[0] ? filled([]) : undefined);
  const quoted = from.map((text) => text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  const pattern = new RegExp(`^${quoted.join('(.*?)')}$`, 's');
  return (name) => {
    const stars = pattern.exec(name);
    return stars === null ? undefined : filled(stars.slice(1));
  };
}

/**
 * A recording under the names of a reference's probes, its axes in PyTorch's order. Of several entries that fit a
 * name the first is taken; a name that no entry fits stays, and a tensor that is not a probe is left out. Throws InputError for an entry that fits
 * no tensor, for an unknown probe, and for two tensors that become one probe.
 */
export function renamed(
  recording: TensorMap,
  map: NameMap,
  reference: NamedProbes,
  where: string,
): TensorMap {
  const used = new Set<NameEntry>();
  const source = new Map<string, string>();
  const found = new Map<string, Tensor>();
  const entries = map.names.map((entry) => ({ entry, rename: renameBy(entry) }));
  for (const [name, value] of recording) {
    const fit = entries.find(({ rename }) => rename(name) !== undefined);
    const entry = fit?.entry;
    const probe = fit === undefined ? name : fit.rename(name);
    if (entry !== undefined) used.add(entry);
    if (probe === null || probe === undefined) continue;
    const other = source.get(probe);
    if (other !== undefined) {
      throw new InputError(
        `${printable(other)} and ${printable(name)} are both ${printable(probe)}`,
        { where, fix: 'leave one of them out, or say which is which' },
      );
    }
    source.set(probe, name);
    if (entry === undefined) {
      found.set(probe, value);
      continue;
    }
    const { axes } = reference.probe(probe);
    found.set(probe, entry.layout === undefined ? value : toPyTorch(value, entry.layout, axes));
  }
  const idle = map.names.find((entry) => !used.has(entry));
  if (idle !== undefined) {
    throw new InputError(
      `the entry of "${printable(idle.ours)}" names no tensor of the recording`,
      {
        where,
        fix: 'write the name as the recording has it, or remove the entry',
      },
    );
  }
  return found;
}
