import { catalogue } from './catalogue/index.ts';
import { plantedTests } from './plantedTests.ts';

plantedTests(catalogue);
