import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Outcome } from './child.ts';
import { damaged } from './damage.ts';
import { hostileFiles } from './hostile.ts';
import type { ReaderName } from './readers.ts';
import { type Watched, watchedReader } from './watched.ts';

/** Of memory, the process itself (some 150) included. */
const mostMebibytes = 1024;

const names = Object.keys(damaged) as ReaderName[];

/** What is wrong with an outcome, or undefined. */
function problemOf({ kind, message, peak }: Outcome): string | undefined {
  if (kind === 'failed') return message;
  return peak > mostMebibytes ? `took ${Math.round(peak)} MiB` : undefined;
}

/**
 * Feeds every reader `runs` damaged files in a process of its own. Each must be refused by a typed error of
 * one line that names the file, or read rightly; within its memory, and without leaving anything behind.
 */
export function fuzzReaders(runs: number): void {
  describe(`${runs} damaged files for each of ${names.length} readers`, () => {
    let watched: Watched;
    const counts: string[] = [];
    let total = 0;

    beforeAll(() => {
      watched = watchedReader();
    });
    afterAll(() => {
      watched.stop();
      console.log([...counts, `${total} damaged files in all`].join('\n'));
    });

    it.each(hostileFiles)(
      '$reader: $what',
      { timeout: 600_000 },
      async ({ what, reader, make }) => {
        const own = watchedReader();
        try {
          const outcome = await own.read({ reader, bytes: make() });
          expect(problemOf(outcome)).toBeUndefined();
          counts.push(
            `${reader.padEnd(13)} ${what}: ${outcome.kind}, ${Math.round(outcome.cpu)} ms and ${Math.round(outcome.peak)} MiB`,
          );
          total++;
        } finally {
          own.stop();
        }
      },
    );

    it.each(names)('%s', { timeout: 3_600_000 }, async (reader) => {
      const tally = { read: 0, refused: 0, cpu: 0, peak: 0 };
      await fc.assert(
        fc.asyncProperty(damaged[reader], async (bytes) => {
          const outcome = await watched.read({ reader, bytes });
          const problem = problemOf(outcome);
          if (problem !== undefined) throw new Error(problem);
          const { kind, cpu, peak } = outcome;
          tally[kind === 'read' ? 'read' : 'refused']++;
          tally.cpu = Math.max(tally.cpu, cpu);
          tally.peak = Math.max(tally.peak, peak);
        }),
        { numRuns: runs },
      );
      const { read, refused, cpu, peak } = tally;
      total += read + refused;
      counts.push(
        `${reader.padEnd(13)} ${read + refused} damaged files: ${refused} refused, ${read} read rightly; at most ${Math.round(cpu)} ms and ${Math.round(peak)} MiB`,
      );
      expect(read + refused).toBe(runs);
      expect(refused).toBeGreaterThan(0);
    });
  });
}
