import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { vi } from 'vitest';
import type { Verdict } from '../../src/align/judge/verdict.ts';
import type { StageFindings } from '../../src/align/stages/stage.ts';
import type { Backend } from '../../src/backends/backend.ts';
import { fixturesDirectory } from '../../src/fixtures.ts';
import { harnessBackend } from './harnessBackend.ts';
import { allLooks, type Look, type Plant } from './plant.ts';
import { rewritingBackend } from './rewriteProgram.ts';

const src = fileURLToPath(new URL('../../src/', import.meta.url));

/** Every module is loaded anew for each bug, the backend once: it looks into no other module's state. */
const backend = await harnessBackend();

/** What the stages said about a planted bug. */
export interface Outcome {
  /** The stage that caught it; undefined when all of them passed. */
  readonly look: Look | undefined;
  /** The layer or tensor that its first failing verdict names. */
  readonly at: string;
  /** How many verdicts failed there. */
  readonly failed: number;
  /** The cause that is told first there, and of which tensor where it is not the first; undefined where none is. */
  readonly told: { readonly says: string; readonly of: string } | undefined;
  /** How often the planted code ran. */
  readonly reached: number;
}

type Called = () => void;

/** Counts the calls of replaced functions. */
const counted = (exports: Readonly<Record<string, unknown>>, called: Called) =>
  Object.fromEntries(
    Object.entries(exports).map(([name, value]) => [
      name,
      typeof value === 'function'
        ? (...args: unknown[]): unknown => {
            called();
            return value(...args);
          }
        : value,
    ]),
  );

function plantModules(plants: readonly Plant[], called: Called): string[] {
  const paths: string[] = [];
  for (const plant of plants) {
    if (plant.kind !== 'module') continue;
    const path = join(src, plant.path);
    paths.push(path);
    vi.doMock(path, async (importOriginal) => {
      const real = await importOriginal<Record<string, unknown>>();
      return { ...real, ...counted(plant.change(real, called), called) };
    });
  }
  return paths;
}

const planted = (plants: readonly Plant[], called: Called): Backend =>
  plants.reduce(
    (inner, plant) =>
      plant.kind === 'graph' ? rewritingBackend(inner, plant.rewrite, called) : inner,
    backend,
  );

/** What a reader of the report is pointed at: the layer, or the tensor or decision that first failed. */
function pointedAt({ name, layer, checks }: Verdict): string {
  if (layer !== undefined) return layer;
  if (name !== 'initial weights') return name;
  const rows = checks.map(({ note }) => /first differs at ([^,]+)/.exec(note ?? '')?.[1]);
  return rows.find((row) => row !== undefined) ?? name;
}

/**
 * Runs the stages with some bugs planted, those of `first` before all others, until one of them fails. An error
 * thrown by a stage is no catch: a report must say what is wrong, and so it is passed on.
 */
export async function runPlanted(
  plants: readonly Plant[],
  first: readonly Look[],
  looks: readonly Look[] = allLooks,
): Promise<Outcome> {
  let reached = 0;
  const called = (): void => {
    reached++;
  };
  vi.resetModules();
  const mocked = plantModules(plants, called);
  try {
    const { stages } = await import('../../src/align/stages/index.ts');
    const { openReference } = await import('../../src/align/reference/reference.ts');
    const { judgeStage } = await import('../../src/align/stages/runStage.ts');
    const { passed } = await import('../../src/align/judge/verdict.ts');
    const { diagnosedStage } = await import('../../src/diagnose/stages/stage.ts');
    const key = ({ model, stage }: Look): string => `${model} ${stage}`;
    const early = new Set(first.map(key));
    for (const look of [...first, ...looks.filter((l) => !early.has(key(l)))]) {
      const { model, stage } = look;
      const reference = openReference(join(fixturesDirectory, 'reference', model), model);
      const findings: StageFindings = await judgeStage(stages[stage], {
        backend: planted(plants, called),
        reference,
        firstFailureOnly: true,
      });
      if (findings.verdicts.length === 0) throw new Error(`${key(look)} judged nothing`);
      if (findings.verdicts.every(passed)) continue;
      const { verdicts } = diagnosedStage(stage, findings, { reference });
      const failed = verdicts.filter((v) => !passed(v));
      const [told] = failed.flatMap(({ name, cause }) =>
        cause === undefined ? [] : [{ says: cause.says, of: name === failed[0].name ? '' : name }],
      );
      return { look, at: pointedAt(failed[0]), failed: failed.length, told, reached };
    }
    return { look: undefined, at: '', failed: 0, told: undefined, reached };
  } finally {
    for (const path of mocked) vi.doUnmock(path);
    vi.resetModules();
  }
}
