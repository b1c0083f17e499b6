import { join } from 'node:path';
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import type { Backend } from '../../backends/backend.ts';
import { openInProcess } from '../../backends/registry.ts';
import { fixturesDirectory } from '../../fixtures.ts';
import type { StageName } from '../reference/manifest.ts';
import { openReference, type Reference } from '../reference/reference.ts';
import { stagePasses } from '../stages/stagePasses.ts';
import { type RunEvent, type Runs, runAll } from './runs.ts';

const referenceOf = (model: string): Reference =>
  openReference(join(fixturesDirectory, 'reference', model), model);

describe('passes of one image through the model', () => {
  const none = { forward: 0, steps: 0 };
  it.each([
    // 30 images twice; 3 iterations of 4 images and one more, and three of 30; 20 steps of 32
    [
      'vgg16',
      {
        forward: { forward: 60, steps: 0 },
        metric: { forward: 270, steps: 0 },
        loss: { forward: 30, steps: 0 },
        backward: { forward: 0, steps: 106 },
        train: { forward: 0, steps: 640 },
        swa: none,
        epochs: none,
      },
    ],
    // nothing of the metric; 2 iterations of 4 and one more; 266 images refresh batch norm
    [
      'vgg16bn',
      {
        metric: none,
        backward: { forward: 0, steps: 12 },
        swa: { forward: 266, steps: 0 },
      },
    ],
    ['preresnet164', { forward: { forward: 16, steps: 0 }, train: { forward: 0, steps: 80 } }],
  ] as const)('are those of the stages of %s', (model, expected) => {
    const { stages } = referenceOf(model).manifest;
    for (const [stage, count] of Object.entries(expected)) {
      expect([stage, stagePasses(stages, stage as StageName)]).toEqual([stage, count]);
    }
  });
});

describe('a backend that takes ten seconds for anything', () => {
  let ort: Backend;
  beforeAll(async () => {
    ort = await openInProcess('ort');
  });
  afterEach(() => vi.restoreAllMocks());

  /** The clock stands, but for ten seconds a run. */
  const slow = (): Backend => {
    let milliseconds = 0;
    vi.spyOn(performance, 'now').mockImplementation(() => milliseconds);
    return {
      ...ort,
      close: async () => undefined,
      compile: async (...args) => {
        const executable = await ort.compile(...args);
        return {
          ...executable,
          run: async (...inputs) => {
            milliseconds += 10_000;
            return executable.run(...inputs);
          },
        };
      },
    };
  };
  const runs = async (named: boolean): Promise<Runs> => ({
    backends: ['slow'],
    open: async () => slow(),
    sideBySide: true,
    named,
    stages: ['loss', 'train'],
    references: [referenceOf('vgg19')],
    oracle: await openInProcess('oracle'),
    runOnnx: () => Promise.reject(new Error('the forward stage was not asked for')),
  });

  async function told(named: boolean): Promise<RunEvent[]> {
    const events: RunEvent[] = [];
    for await (const event of runAll(await runs(named))) events.push(event);
    return events;
  }
  const ran = (events: readonly RunEvent[]) =>
    events.flatMap((e) => (e.kind === 'stage' ? [[e.result.stage, e.result.passed]] : []));
  const absent = (events: readonly RunEvent[]) =>
    events.flatMap((e) => (e.kind === 'absent' ? [[e.name, e.why]] : []));

  it('is spared the stage of 32 steps, by name, and runs the one of 8 images', async () => {
    const events = await told(false);
    expect(ran(events)).toEqual([['loss', true]]);
    expect(absent(events)[0]).toEqual([
      'slow',
      'train (5 min) would take it too long; name it with --backends to run them anyway',
    ]);
  });

  it('is spared nothing when it was named', async () => {
    const events = await told(true);
    expect(ran(events).map(([stage]) => stage)).toEqual(['loss', 'train']);
    expect(absent(events).map(([name]) => name)).not.toContain('slow');
  });
});
