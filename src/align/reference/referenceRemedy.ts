import { join, resolve, sep } from 'node:path';
import { fixturesDirectory } from '../../fixtures.ts';

const shipped = join(fixturesDirectory, 'reference') + sep;

/** What to do when something of a reference is missing, damaged or altered. */
export const referenceRemedy = (path: string): string =>
  (resolve(path) + sep).startsWith(shipped)
    ? 'it comes with swa-align: install that again, or write it again with `swa-align python export_reference`'
    : 'name a directory that export_reference.py wrote whole, or write it again';
