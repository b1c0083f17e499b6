import { expect, test } from 'vitest';
import { tensor } from '../tensor/tensor.ts';
import { packageVersion } from '../version.ts';
import { htmlReport } from './htmlReport.ts';
import { judge } from './judgePort.ts';
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
