import { join } from 'node:path';
import { expect, test } from 'vitest';
import { fixturesDirectory } from '../../fixtures.ts';
import { openReference } from './reference.ts';

test('a reference that should have come along is told apart from a wrong name', () => {
  const shipped = join(fixturesDirectory, 'reference', 'vgg11');
  expect(() => openReference(shipped)).toThrow(/no such reference directory.*install that again/s);
  const own = join(fixturesDirectory, 'reference-of-mine');
  expect(() => openReference(own)).toThrow(/no such reference directory.*export_reference\.py/s);
});
