import { expect } from 'vitest';
import { forgetMachine } from './machine.ts';
import { forbidProcesses } from './noProcesses.ts';

// Before each test file: what a test finds is not to depend on who runs it, or where.
forgetMachine();
// Fuzzing and soaking kill processes; they have commands of their own.
if (/(?<!\.system)\.test\.ts$/.test(expect.getState().testPath ?? '')) forbidProcesses();
