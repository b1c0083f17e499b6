import { fuzzReaders } from './fuzz/fuzzReaders.ts';

fuzzReaders(60);
