import { fuzzReaders } from './fuzz/fuzzReaders.ts';

fuzzReaders(1100);
