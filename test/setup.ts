import { forgetMachine } from './machine.ts';

// Before each test file: what a test finds is not to depend on who runs it, or where.
forgetMachine();
