import fc from 'fast-check';
import type { Check, CheckMethod, Verdict } from '../../align/judge/verdict.ts';
import { type Trace, type TraceRow, type TraceState, traceOf } from '../../align/trace/trace.ts';
import type { StepTensorKind } from '../../program/stepOrder.ts';
import type { DiffReport } from '../diffReport.ts';
import { report, result } from './sampleReports.ts';

/** What a careless or hostile name may hold: markup of every language that a report is written in. */
export const hostile = [
  '</script><script>alert(1)</script>',
  '"><img src=x onerror=alert(1)>',
  ']]>&amp;<!--',
  'a|b\\|c`d``e',
  '@someone closes #12, see https://example.org and [this](javascript:alert(1))',
  'line one\nline two\r\n::error::not mine',
  '100%25 %0A done: a, b',
  '\u0000\u0007\u001b[31m\u0085\ud800\uffff',
  '',
] as const;

const words = fc.oneof(
  fc.constantFrom(...hostile),
  fc.string({ unit: 'binary', maxLength: 30 }),
  fc.constantFrom('features.0', 'iter0/features.3.weight.grad'),
  fc.string({ unit: 'grapheme', minLength: 400, maxLength: 700 }),
);

const number = fc.oneof(fc.double(), fc.double({ min: 0, max: 1e-4 }), fc.constantFrom(0, NaN));

const methods: readonly CheckMethod[] = [
  'mean',
  'relative l2',
  'ratio',
  'scaled',
  'ulp',
  'moments',
  'equal',
];

const check: fc.Arbitrary<Check> = fc.record(
  {
    method: fc.constantFrom(...methods),
    value: number,
    threshold: number,
    passed: fc.boolean(),
    pytorch: number,
    note: words,
  },
  { requiredKeys: ['method', 'value', 'threshold', 'passed'] },
);

const verdict: fc.Arbitrary<Verdict> = fc.record(
  { name: words, checks: fc.array(check, { maxLength: 3 }), problem: words },
  { requiredKeys: ['name', 'checks'] },
);

const kinds: readonly StepTensorKind[] = ['output', 'output gradient', 'weight gradient'];
const states: readonly TraceState[] = ['agrees', 'flipped', 'inherits', 'diverges', 'missing'];
const error = fc.record({ ours: number, pytorch: number, ratio: number });

const row: fc.Arbitrary<TraceRow> = fc.record(
  {
    kind: fc.constantFrom(...kinds),
    layer: words,
    name: words,
    shape: fc.array(fc.nat(64), { maxLength: 4 }),
    sampled: fc.boolean(),
    state: fc.constantFrom(...states),
    error,
    added: error,
    limit: fc.record({ value: number, why: words }),
    flips: fc.array(fc.record({ layer: words, element: fc.nat(), margin: number })),
    problem: words,
  },
  { requiredKeys: ['kind', 'layer', 'name', 'shape', 'sampled', 'state'] },
);

const trace: fc.Arbitrary<Trace> = fc
  .record({ model: words, rows: fc.array(row), notes: fc.array(words) })
  .map(({ model, rows, notes }) => traceOf(model, rows, notes));

const stage = fc
  .record({
    stage: fc.constantFrom('forward' as const, 'backward' as const, 'loss' as const),
    verdicts: fc.array(verdict, { maxLength: 40 }),
    notes: fc.array(words, { maxLength: 4 }),
    model: words,
  })
  .map(({ stage, verdicts, notes, model }) => result(stage, verdicts, notes, model));

/** Any report, with names and numbers that no run has. */
export const anyReport: fc.Arbitrary<DiffReport> = fc
  .record({ results: fc.array(stage, { maxLength: 4 }), trace }, { requiredKeys: ['results'] })
  .map(({ results, trace }) => report(results, trace));

export const anyReports = fc.array(anyReport, { maxLength: 4 });
