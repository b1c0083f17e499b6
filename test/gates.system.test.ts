import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Expectation, UlpRule } from '../src/align/judge/expectation.ts';
import { judge } from '../src/align/judge/judge.ts';
import { passed, type Verdict } from '../src/align/judge/verdict.ts';
import {
  fixturesDirectory,
  openReference,
  type Reference,
} from '../src/align/reference/reference.ts';
import { stages } from '../src/align/stages/index.ts';
import type { Part, PartRun } from '../src/align/stages/stage.ts';
import { openInProcess } from '../src/backends/registry.ts';
import { type Tensor, toFloat64, zeros } from '../src/tensor/tensor.ts';
import { type Gate, norm } from './support/gate.ts';
import { gatesOf } from './support/gates.ts';
import { exact, type Move, movesOf } from './support/moves.ts';

const backend = openInProcess('ort');

/** A part of a stage and what it gave. */
interface Ran {
  readonly part: Part;
  readonly ran: PartRun;
  readonly expected: readonly Expectation[];
}

type Gates = ReadonlyMap<string, Gate>;

/** Whether the reference alone tells an exact result: it need not be run. */
const isKnown = (gate: Gate | undefined): boolean =>
  gate !== undefined && gate.by !== 'ulp' && !(gate.by === 'truth' && gate.stats !== undefined);

async function runPart(part: Part, reference: Reference, gates: Gates): Promise<Ran> {
  const nothing: PartRun = { recording: new Map() };
  const wanted = part.expect({ reference }, nothing).map(({ name }) => gates.get(name));
  const known = wanted.length > 0 && wanted.every(isKnown);
  const exactly = (gate: Gate) => [gate.name, exact(gate, zeros('float32', []))] as const;
  const ran = known
    ? { recording: new Map(wanted.map((gate) => exactly(gate!))) }
    : await part.run({ backend: await backend, reference });
  return { part, ran, expected: part.expect({ reference }, ran) };
}

/** A tensor that is not off at all, by its gate. */
function exactly(gate: Gate, { ran }: Ran): Tensor {
  const rule = ran.rules?.get(gate.name) as UlpRule | undefined;
  return exact(gate, rule?.to ?? ran.recording.get(gate.name)!);
}

/** What is wrong with what a value is held against, where only a run can know it; else undefined. */
function misplaced(gate: Gate, to: Tensor): string | undefined {
  if (gate.by !== 'ulp' || gate.against === undefined) return undefined;
  const { values, apart } = gate.against;
  const off = norm(toFloat64(to).map((x, i) => x - values[i]));
  return off <= apart * norm(values) ? undefined : `is held against something ${off} off`;
}

/** What is wrong with how a change was judged, or undefined. */
function misjudged(verdict: Verdict, { reads, at, changed }: Move): string | undefined {
  if (reads === undefined) return passed(verdict) ? 'passed' : undefined;
  const { method, value, threshold } = reads;
  const found = verdict.checks.find((c) => c.method === method);
  if (found === undefined) return verdict.problem ?? `no check by ${method}`;
  const near = (a: number, b: number): boolean => Math.abs(a - b) <= 1e-4 * Math.abs(b);
  if (!near(found.value, value)) return `reads ${found.value}, not ${value}`;
  if (!near(found.threshold, threshold)) return `threshold ${found.threshold}, not ${threshold}`;
  if (found.passed !== value <= threshold) return `${value} of ${threshold}: ${found.passed}`;
  if (value > threshold && passed(verdict)) return 'passed';
  if (at === undefined || passed(verdict)) return undefined;
  const { index = [], beyond } = verdict.worst ?? {};
  const worst = index.reduce((flat, i, axis) => flat * changed.shape[axis] + i, 0);
  return worst === at && beyond === 1 ? undefined : `worst at ${index}; ${beyond} beyond`;
}

/** All that is wrong with how changes of one tensor are judged, beside another that is not changed. */
function wrongWith(ran: Ran, gates: Gates, [expectation, other]: readonly Expectation[]): string[] {
  const { name, rule } = expectation;
  const known = gates.get(name)!;
  const gate = known.by === 'ulp' ? { scales: (rule as UlpRule).scales, ...known } : known;
  const whole = exactly(gate, ran);
  const beside = other && ([other.name, exactly(gates.get(other.name)!, ran)] as const);
  const misplacement = misplaced(gate, whole);
  const wrong = misplacement === undefined ? [] : [misplacement];
  const tried = new Map<string, Set<boolean>>();
  for (const move of movesOf(gate, whole)) {
    const recording = new Map([[name, move.changed], ...(beside ? [beside] : [])]);
    const [verdict, ...others] = judge(
      { recording },
      other ? [expectation, other] : [expectation],
    ).verdicts;
    const said = misjudged(verdict, move) ?? (others.every(passed) ? undefined : 'another fails');
    if (said !== undefined) wrong.push(`${move.what}: ${said}`);
    if (move.reads === undefined) continue;
    const { method, value, threshold } = move.reads;
    tried.set(method, (tried.get(method) ?? new Set()).add(value <= threshold));
  }
  const untried = [...tried].filter(([, sides]) => sides.size < 2);
  return [
    ...wrong,
    ...untried.map(([method]) => `${method} is not tried on both sides of its threshold`),
  ].map((text) => `${name}, ${text}`);
}

describe.each(['vgg16', 'vgg16bn'])('every gate of %s', (model) => {
  const reference = openReference(join(fixturesDirectory, 'reference', model));
  const gated = gatesOf(reference);

  describe.each([...gated.keys()])('%s', (stage) => {
    const gates: Gates = new Map(gated.get(stage)!.map((gate) => [gate.name, gate]));
    const parts: Ran[] = [];

    beforeAll(async () => {
      for (const part of stages[stage](reference)) {
        if ('run' in part) parts.push(await runPart(part, reference, gates));
      }
      return () => parts.splice(0);
    });

    it('stands: for all that PyTorch computed, and for nothing else', () => {
      const expected = parts.flatMap((p) => p.expected.map(({ name }) => name));
      expect(expected.sort()).toEqual([...gates.keys()].sort());
    });

    it('is passed by us, and by nothing that nobody expects', () => {
      for (const { ran, expected } of parts) {
        const recording = new Map([...ran.recording, ['nobody’s', zeros('float32', [2])]]);
        const { verdicts } = judge({ recording }, expected);
        expect(verdicts.filter((v) => !passed(v)).map((v) => v.name)).toEqual(['nobody’s']);
      }
    });

    it('is not passed by what is missing, and the others are', () => {
      for (const { part, ran, expected } of parts) {
        const still = part.expect({ reference }, { ...ran, recording: new Map() });
        const names = expected.map(({ name }) => name);
        // Of a small run the order says where it began to go wrong: it follows what was found.
        expect(still.map(({ name }) => name).sort()).toEqual(names.toSorted());
        const small = expected.filter(({ name }) => ran.recording.get(name)!.data.length < 1000);
        for (const expectation of expected) {
          const of = [expectation, ...small.filter((e) => e !== expectation).slice(0, 1)];
          const [, ...rest] = of.map(({ name }) => [name, ran.recording.get(name)!] as const);
          const { verdicts } = judge({ recording: new Map(rest) }, of);
          expect(verdicts.filter((v) => !passed(v)).map((v) => v.name)).toEqual([expectation.name]);
        }
      }
    });

    it('is not passed by NaN nor beyond any of its thresholds, is passed within, and alone is asked', () => {
      const wrong = parts.flatMap((ran) => {
        const size = ({ name }: Expectation): number => ran.ran.recording.get(name)!.data.length;
        const small = ran.expected.toSorted((a, b) => size(a) - size(b)).slice(0, 2);
        return ran.expected.flatMap((expectation) => {
          const others = small.filter((e) => e !== expectation).slice(0, 1);
          return wrongWith(ran, gates, [expectation, ...others]);
        });
      });
      expect(wrong.slice(0, 20)).toEqual([]);
    });
  });
});

describe('predictions', () => {
  it('prove nothing where they are one class, which PyTorch predicts too', () => {
    const reference = openReference(join(fixturesDirectory, 'reference', 'vgg16'));
    const expected = stages
      .metric(reference)
      .flatMap((part) =>
        'run' in part ? part.expect({ reference }, { recording: new Map() }) : [],
      );
    const found = expected.find(({ name }) => name === 'predictions')!;
    const to = zeros('int64', [270]);
    const rule = { ...found.rule, to } as Expectation['rule'];
    const { verdicts } = judge({ recording: new Map([['predictions', to]]) }, [{ ...found, rule }]);
    expect(verdicts.map(passed)).toEqual([false]);
  });
});
