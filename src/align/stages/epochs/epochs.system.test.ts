import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Backend } from '../../../backends/backend.ts';
import { openInProcess } from '../../../backends/registry.ts';
import { passed } from '../../judge/verdict.ts';
import { fixturesDirectory, openReference } from '../../reference/reference.ts';
import { judgeStage } from '../runStage.ts';
import { epochs } from './epochs.ts';

test('the whole run, the resumed one and what eval says compile each program once', async () => {
  const backend = await openInProcess('ort');
  const compiled: string[] = [];
  let disposed = 0;
  const counting: Backend = {
    ...backend,
    async compile(program, fetches) {
      const images = program.inputs.get('images')?.shape.join('×') ?? '';
      compiled.push([program.name, images, ...fetches].join(' '));
      const executable = await backend.compile(program, fetches);
      return {
        ...executable,
        async dispose() {
          disposed++;
          await executable.dispose();
        },
      };
    },
  };
  const reference = openReference(join(fixturesDirectory, 'reference', 'preresnet110'));
  const { verdicts } = await judgeStage(epochs, { backend: counting, reference });
  expect(verdicts.filter((v) => !passed(v))).toEqual([]);
  expect(verdicts.some(({ name }) => name.startsWith('resumed: '))).toBe(true);
  expect(compiled.length).toBeGreaterThan(3);
  expect(compiled).toEqual([...new Set(compiled)]);
  expect(disposed).toBe(compiled.length);
});
