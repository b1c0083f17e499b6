import { createRequire } from 'node:module';
import { testDevice } from './testdata/deviceTests.ts';

// As Node.js 23 and later have it: tfjs-node must load and run without.
Reflect.deleteProperty(createRequire(import.meta.url)('node:util'), 'isNullOrUndefined');

await testDevice('tensorflow');
