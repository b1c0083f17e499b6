import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { run } from '../../examples/plain-typescript-adam/port.ts';
import { errorPanels } from '../report/errorPanels.ts';
import { portReport } from '../report/portReport.ts';
import { tensor } from '../tensor/tensor.ts';
import { packageVersion } from '../version.ts';
import { htmlReport } from './htmlReport.ts';
import { judge } from './judgeWithCauses.ts';
import { openReference } from './openReference.ts';
import { Recorder } from './recorder.ts';
import { randomReference } from './testdata/randomReference.ts';

const ref = randomReference([
  { name: 'fc.output', layer: 'fc', what: 'Linear(3, 2)' },
  { name: 'act.output', layer: 'act', what: 'Tanh()' },
]);
const right = (name: string) => tensor('float32', [100], Float32Array.from(truth(name)));
const truth = (name: string) => ref.whole(ref.probe(name)).data as Float64Array;

/** All that a person reads, without markup. */
const words = (page: string): string =>
  page.replace(/<(script|style)>[\s\S]*?<\/\1>|<[^>]*>/g, ' ').replace(/\s+/g, ' ');

test('a port that aligns: what was judged, by whom, against which file', () => {
  const rec = new Recorder(ref).add('fc.output', right('fc.output'));
  rec.add('act.output', right('act.output'));
  const judged = judge(rec, ref);
  expect(judged.passed, judged.message).toBe(true);
  const page = htmlReport(judged, ref, { ours: 'a <port>', versions: { engine: '1.2' } });
  expect(page).toContain('<title>swa-align judge: ');
  expect(page).not.toContain('id="failures"');
  expect(page).not.toContain('a <port>');
  expect(page).toContain(`a &lt;port&gt;, judged by swa-align ${packageVersion}`);
  expect(words(page)).toContain('engine 1.2');
  expect(page).toContain(ref.manifest.tensors.sha256);
  // Nobody typed a command.
  expect(words(page)).not.toMatch(/Command|undefined/);
});

test('a port that does not: the layer and what it is, before anything else', () => {
  const rec = new Recorder(ref).add('fc.output', right('fc.output'));
  rec.add(
    'act.output',
    right('act.output').data.map((x) => x + 0.5),
  );
  const page = htmlReport(judge(rec, ref), ref);
  const said = words(page);
  expect(said).toContain('1 failure');
  expect(said.indexOf('act.output')).toBeLessThan(
    said.indexOf('Summary', said.indexOf('1 failure')),
  );
  expect(said).toContain('Tanh()');
  expect(said).toContain('a port, judged by swa-align');
});

test('the picture has a panel a kind of tensor and step, and marks what diverges and what inherits', () => {
  const adam = openReference(
    fileURLToPath(new URL('../../examples/plain-typescript-adam/ref', import.meta.url)),
  );
  const judged = judge(run(adam, 'tanh’s slope from its input'), adam);
  const facts = { ours: 'a port', hashes: {}, versions: {}, seconds: 0 };
  const panels = errorPanels(portReport(adam, judged, facts));
  const kinds = [
    'Outputs, forward',
    'Gradients of outputs, backward',
    'Gradients of weights, backward',
    'Weights and state after the step',
  ];
  const titles = [1, 2, 3].flatMap((step) => kinds.map((kind) => `${kind}, step ${step}`));
  expect(panels.map(({ title }) => title).sort()).toEqual(titles.sort());

  const points = panels.flatMap((panel) => panel.points.map((point) => ({ ...point, panel })));
  const marked = (mark: string) => points.filter((point) => point.mark === mark);
  expect(marked('diverges').map(({ name, panel }) => [name, panel.title])).toEqual([
    ['0', 'Gradients of outputs, backward, step 1'],
  ]);
  expect(points).toHaveLength(judged.verdicts.length);
  expect(marked('inherits')).toHaveLength(54);
  const firsts = panels.flatMap(({ first, points }) => (first === undefined ? [] : points[first]));
  expect(firsts.map(({ name }) => name)).toEqual(['0']);
  expect(htmlReport(judged, adam)).toContain('First to diverge: 0.');
});
