import { describe, expect, test } from 'vitest';
import { allLooks, type Family, type Look } from './plant.ts';
import { runPlanted } from './runPlanted.ts';
import { cleanRun } from './tableReporter.ts';

const named = ({ model, stage }: Look): string => `${model} ${stage}`;

/**
 * A test a bug: some stage fails, the one that is to, and its first failing verdict names the right place. Whether the
 * cause that is told is the bug is noted, not asked of each: scores.ts says of how many it must be.
 * Before them all, the stages pass on `looks` with nothing planted, by the same machinery.
 */
export function plantedTests(families: readonly Family[], looks: readonly Look[] = allLooks): void {
  test(cleanRun, async () => {
    const { look, at } = await runPlanted([], [], looks);
    expect(look === undefined ? 'passed' : `${named(look)} failed at ${at}`).toBe('passed');
  });

  for (const family of families) {
    describe(family.name, () => {
      for (const { name, people, plants, cause, caught } of family.bugs) {
        test(name, async ({ task }) => {
          const began = performance.now();
          const { look, at, told, reached } = await runPlanted(plants, family.looks, looks);
          const stage = look === undefined ? '' : named(look);
          const seconds = (performance.now() - began) / 1000;
          const [found, due] = [`${stage}: ${at}`, `${named(caught)}: ${caught.at}`];
          task.meta.planted = {
            ...{ family: family.name, name, people, stage, at, seconds },
            right: found === due,
            reads: cause.reads,
            ...(told !== undefined && {
              told: told.says,
              toldOf: told.of,
              cause: cause.says.test(told.says) ? 'right' : 'wrong',
            }),
          };
          expect(reached, 'the planted code never ran').toBeGreaterThan(0);
          expect(found).toBe(due);
        });
      }
    });
  }
}
