import { fileURLToPath } from 'node:url';

/** The fixtures that came with this package. */
export const fixturesDirectory: string = fileURLToPath(new URL('../fixtures', import.meta.url));
