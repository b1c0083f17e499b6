import type { Reference } from '../../align/reference/reference.ts';
import type { Evidence } from '../suspect.ts';
import { recordedStatistics } from './recordedStatistics.ts';
import type { Variant } from './variant.ts';

/** Variants of what stage *swa* judges, by its name. */
export function swaVariants(reference: Reference) {
  const { settings, file } = reference.stage('swa');
  const { images = 0, batch = 1 } = settings;
  const sizes = Array.from({ length: Math.ceil(images / batch) }, (_, k) =>
    Math.min(batch, images - k * batch),
  );
  return (name: string, { ours }: Evidence): Iterable<Variant> => {
    const found = ours(name);
    const [, buffer] = /^bn_refresh\/(.*)$/.exec(name) ?? [];
    if (found === undefined || buffer === undefined) return [];
    const names = sizes.map((_, k) =>
      k + 1 < sizes.length ? `bn_refresh after batch ${k + 1}/${buffer}` : name,
    );
    return recordedStatistics(reference.arrays(file), { names, images: sizes }, found);
  };
}
