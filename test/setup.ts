import { expect } from 'vitest';
import { forgetMachine } from './machine.ts';
import { forbidProcesses } from './noProcesses.ts';

// Before each test file: what a test finds is not to depend on who runs it, or where.
forgetMachine();
if (!expect.getState().testPath?.endsWith('.system.test.ts')) forbidProcesses();
