import fc from 'fast-check';
import { expect, test } from 'vitest';
import { columnsOf, foldedLine } from './folding.ts';

const summary =
  "      relative l2 ≤ 6.9e-7 of 5.0e-6 (features.29, PyTorch's own 6.1e-7), which took 12 s";

test('a long line goes on further in, and a number stays with its unit', () => {
  expect(foldedLine(summary, 60)).toEqual([
    "      relative l2 ≤ 6.9e-7 of 5.0e-6 (features.29, PyTorch's",
    '        own 6.1e-7), which took 12 s',
  ]);
  expect(foldedLine('  ✓ loss  2 checked, 0 failed  1.2 s', 34)).toEqual([
    '  ✓ loss  2 checked, 0 failed',
    '    1.2 s',
  ]);
});

test('what fits stays as it is', () => {
  expect(foldedLine(summary, summary.length)).toEqual([summary]);
  expect(foldedLine('', 10)).toEqual(['']);
});

test('a path that fits nowhere stays whole', () => {
  const path = `/tmp/${'x'.repeat(50)}`;
  expect(foldedLine(`report in ${path} and more`, 40)).toEqual([
    'report in',
    `  ${path}`,
    '  and more',
  ]);
});

test('a mark stays with its word, and a tab is as wide as it is shown', () => {
  expect(foldedLine('✗ encoder.layers.0.weight', 20)).toEqual(['✗ encoder.layers.0.weight']);
  expect(foldedLine('INFO:\tmean diff: 1', 17)).toEqual(['INFO:   mean', '  diff: 1']);
  expect(foldedLine('INFO:\tmean diff: 1', Infinity)).toEqual(['INFO:\tmean diff: 1']);
});

test('a command stays whole, to be copied', () => {
  const command = 'npm install --save-dev webgpu && npx swa-align setup tensorflow';
  expect(foldedLine(`it is not installed here; ${command}; then try again`, 40)).toEqual([
    'it is not installed here;',
    `  ${command};`,
    '  then try again',
  ]);
  expect(foldedLine('what runs here is told by `swa-align devices`', 42)).toEqual([
    'what runs here is told by',
    '  `swa-align devices`',
  ]);
});

test('no word is lost, and no piece is too wide unless it is one word', () => {
  // Without backquotes, which keep a command whole.
  const word = fc
    .string({ minLength: 1, maxLength: 30 })
    .filter((text) => /^[!-_a-~]+$/.test(text) && !/\bnp[mx]$/.test(text));
  fc.assert(
    fc.property(
      fc.array(word, { minLength: 1, maxLength: 20 }),
      fc.nat(10),
      fc.integer({ min: 10, max: 100 }),
      (words, indent, columns) => {
        const pieces = foldedLine(' '.repeat(indent) + words.join(' '), columns);
        expect(pieces.join(' ').trim().split(/ +/)).toEqual(words);
        for (const piece of pieces.filter((text) => text.length > columns)) {
          expect(piece.trim()).toMatch(/^(\S )?\S+( (s|ms|min|h|MiB|%|×))*$/);
        }
      },
    ),
  );
});

test('only a terminal has columns', () => {
  expect(columnsOf({ isTTY: true, columns: 60 })).toBe(60);
  expect(columnsOf({ columns: 60 })).toBe(Infinity);
  expect(columnsOf({ isTTY: true, columns: 0 })).toBe(Infinity);
});
