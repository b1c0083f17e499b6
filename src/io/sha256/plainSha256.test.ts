import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { plainSha256 } from './plainSha256.ts';

test('the plain SHA-256 is the one of Node’s crypto, wherever in its memory an array begins', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat({ max: 70 }), (whole, from) => {
      const bytes = whole.subarray(Math.min(from, whole.length));
      const theirs = createHash('sha256').update(bytes).digest();
      expect(Buffer.from(plainSha256(bytes))).toEqual(theirs);
    }),
    { numRuns: 500 },
  );
});

test.each([0, 1, 55, 56, 63, 64, 119, 120, 128, 100_000])('of %i bytes', (length) => {
  const bytes = Uint8Array.from({ length }, (_, i) => i * 31);
  const theirs = createHash('sha256').update(bytes).digest();
  expect(Buffer.from(plainSha256(bytes))).toEqual(theirs);
});
