import { describe, expect, it } from 'vitest';
import type { Trace, TraceRow } from '../../align/trace/trace.ts';
import { traceTable } from './traceTable.ts';

const row = (name: string, more: Partial<TraceRow>): TraceRow => ({
  kind: 'output',
  layer: name,
  name,
  shape: [2],
  sampled: false,
  state: 'agrees',
  error: { ours: 1.5e-7, pytorch: 1e-7, ratio: 1.5 },
  added: { ours: 0, pytorch: 0, ratio: 0 },
  limit: { value: 4e-7, why: "4 × PyTorch's own error 1.0e-7" },
  addedLimit: { value: 2.4e-7, why: '4 float32 roundings' },
  ...more,
});

describe('the table of a trace', () => {
  const trace: Trace = {
    model: 'vgg16',
    rows: [
      row('features.0', {}),
      row('features.1', {
        state: 'diverges',
        error: { ours: 1e-3, pytorch: 1e-7, ratio: 1e4 },
        added: { ours: 1e-3, pytorch: 0, ratio: 16777 },
      }),
      row('features.2', { state: 'inherits' }),
      row('features.3', { state: 'missing', problem: 'shape [2] against [3]' }),
    ],
    firstDivergence: 1,
    notes: ['a note'],
  };
  const lines = traceTable(trace);

  it('has a row a tensor in order, its columns aligned, the first divergence marked', () => {
    const names = lines.flatMap((l) => l.match(/^ {2}[✓~·✗] {2}(\S+)/)?.[1] ?? []);
    expect(names).toEqual(['features.0', 'features.1', 'features.2', 'features.3']);
    expect(lines.filter((l) => l.includes('← first'))).toEqual([
      expect.stringContaining('features.1'),
    ]);
    const column = lines[0].indexOf('computed by');
    for (const line of lines.filter((l) => /^ {2}[✓~·✗]/.test(l))) {
      expect(line.slice(column)).toMatch(/^features/);
    }
  });

  it('says beneath a row what it did wrong, and at the end which was first', () => {
    const at = lines.findIndex((l) => l.includes('← first'));
    expect(lines[at + 1]).toContain('adds 1.0e-3, may add 2.4e-7: 4 float32 roundings');
    expect(lines.join('\n')).toContain('shape [2] against [3]');
    expect(lines.at(-2)).toContain('a note');
    expect(lines.at(-1)).toContain('first divergence: features.1, computed by features.1');
  });

  it('folds three rows and more that only inherit, and no row that says more', () => {
    const inherits = (name: string, more: Partial<TraceRow> = {}): TraceRow =>
      row(name, { state: 'inherits', ...more });
    const rows = [
      ...trace.rows.slice(0, 2),
      ...['a', 'b', 'c', 'd'].map((name) => inherits(name)),
      row('ok', {}),
      ...['e', 'f'].map((name) => inherits(name)),
      inherits('g', { override: { tensor: 'g', limit: 1, reason: 'known' } }),
    ];
    const folded = traceTable({ ...trace, rows });
    expect(folded.filter((line) => /^ {2}·/.test(line)).map((line) => line.split(/ +/)[2])).toEqual(
      ['a', 'e', 'f', 'g'],
    );
    expect(folded).toContain('  ·  a … d: 4 tensors inherit it');
  });

  it.each([100, 80, 60])('fits in %d columns, the verdicts last to go', (columns) => {
    const rows = traceTable(trace, columns).filter((line) => /^ {2}[✓~·✗]/.test(line));
    expect(Math.max(...rows.map((line) => line.length))).toBeLessThanOrEqual(columns);
    expect(
      rows.map((line) => / (agrees|diverges {2}← first|inherits|missing)$/.test(line)),
    ).toEqual(rows.map(() => true));
  });

  it('shortens long names in the middle before it leaves columns out', () => {
    const long = 'encoder.layers.11.self_attention.in_proj_weight';
    const [head, line] = traceTable({ model: 'x', rows: [row(long, {})], notes: [] }, 110);
    expect(head).toContain('computed by');
    expect(line).toMatch(/^ {2}✓ {2}encod\S*…\S*weight {2}encod\S*…\S*weight /);
    expect(line.length).toBeLessThanOrEqual(110);
  });

  it('does not call a trace without rows a success', () => {
    expect(traceTable({ model: 'vgg16', rows: [], notes: [] }).at(-1)).toContain(
      'nothing was traced',
    );
  });
});
