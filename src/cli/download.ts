import { cifarArchives, officialAddress } from '../data/cifarArchives.ts';
import { cachedCifar } from '../data/download/cachedCifar.ts';
import { cacheDirectory } from '../io/cacheDirectory.ts';
import { type Dataset, openDataset } from '../train/dataset.ts';
import type { DatasetName } from '../train/settings/trainingSettings.ts';
import { showDownload } from './terminal/downloadProgress.ts';
import { onInterrupt } from './terminal/interrupt.ts';
import { live } from './terminal/liveLine.ts';

/** The directory of a data set in the cache, which is filled first where need be. Progress goes to standard error. */
async function fromCache(name: keyof typeof cifarArchives): Promise<string> {
  const mirror = process.env.SWA_ALIGN_DATA_URL ?? '';
  const stop = new AbortController();
  const because = { what: 'download interrupted', fix: 'the next run continues from there' };
  const release = onInterrupt({ stop, because });
  try {
    return await cachedCifar(cifarArchives[name], {
      cache: cacheDirectory(),
      address: mirror === '' ? officialAddress : mirror,
      signal: stop.signal,
      report: showDownload(live),
    });
  } finally {
    release();
    live.clear();
  }
}

/**
 * The data set of a command line: what lies in `--data-path`, which never fetches anything, else
 * from the cache. Throws InputError and UsageError in one line.
 */
export async function openNamedDataset(
  name: DatasetName,
  dataPath: string | undefined,
): Promise<Dataset> {
  if (dataPath !== undefined || name === 'synthetic') return openDataset(name, dataPath);
  return openDataset(name, await fromCache(name));
}
