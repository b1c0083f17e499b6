import { cachedCifar } from '../cachedCifar.ts';
import { tiny } from './archives.ts';

/** A process of its own that fetches the tiny data set: `fetchTiny.ts CACHE ADDRESS`. */
const [cache, address] = process.argv.slice(2);
const dir = await cachedCifar(tiny, {
  cache,
  address,
  timing: { beatMs: 50, pollMs: 20, deadMs: 1000 },
  report: ({ kind }) => {
    if (kind === 'progress' || kind === 'begun') process.stdout.write(`${kind}\n`);
  },
});
process.stdout.write(`done ${dir}\n`);
