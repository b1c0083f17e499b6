import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { shortened, type TextColumn, tableFor, textTable } from './textTable.ts';

const head: TextColumn[] = [
  { title: 'key', shortens: true },
  { title: 'shape', goes: 2 },
  { title: 'mean', align: 'right' },
  { title: 'ulp', align: 'right', goes: 1 },
];
const rows = [
  ['encoder.layers.11.self_attention.in_proj_weight', '[384, 128]', '8.0e-6', '7'],
  ['b', '[3]', '1', '12.5'],
  ['only.in.one.file', '[3]', "missing on A's side"],
];

describe('a table of aligned columns', () => {
  test('has them as wide as their cells where there is room', () => {
    expect(textTable(head, rows)).toEqual({
      left: [],
      lines: [
        'key                                              shape         mean   ulp',
        'encoder.layers.11.self_attention.in_proj_weight  [384, 128]  8.0e-6     7',
        'b                                                [3]              1  12.5',
        "only.in.one.file                                 [3]         missing on A's side",
      ],
    });
  });

  test('takes the middle out of names first', () => {
    const { lines, left } = textTable(head, rows, 60);
    expect(left).toEqual([]);
    expect(lines[1]).toBe('encoder.layer…ntion.in_proj_weight  [384, 128]  8.0e-6     7');
  });

  test('then leaves columns out and says which', () => {
    const { lines, left } = textTable(head, rows, 34);
    expect(left).toEqual(['shape', 'ulp']);
    expect(lines).toEqual([
      'key                           mean',
      'encoder.la….in_proj_weight  8.0e-6',
      'b                                1',
      "only.in.one.file            missing on A's side",
    ]);
  });

  test('fits wherever the columns that stay do', () => {
    const cell = fc.string({ maxLength: 40 }).filter((text) => /^[!-~]*$/.test(text));
    const row = fc.tuple(cell, cell, fc.constant('8.0e-6'), cell).map((cells) => [...cells]);
    fc.assert(
      fc.property(
        fc.array(row, { minLength: 1 }),
        fc.integer({ min: 16, max: 120 }),
        (some, columns) => {
          const { lines } = textTable(head, some, columns);
          for (const line of lines) expect(line.length).toBeLessThanOrEqual(columns);
        },
      ),
    );
  });
});

test('a name that is too long keeps its beginning and more of its end', () => {
  expect(shortened('features.0.weight', 17)).toBe('features.0.weight');
  expect(shortened('features.0.weight', 11)).toBe('feat…weight');
});

test('a terminal has a plain table, everybody else Markdown', () => {
  expect(tableFor(80, head, [rows[1]])[0]).toMatch(/^key {2}shape {2}mean {3}ulp$/);
  expect(tableFor(Infinity, head, [rows[1]])[0]).toBe('| key | shape | mean | ulp |');
});
