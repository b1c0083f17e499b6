import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openStepLog } from './stepLogFile.ts';

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'swa-align-steps-'));
});
afterAll(() => rmSync(dir, { recursive: true }));

const reopened = (text: string, firstStep: number): string => {
  const path = join(dir, 'steps.csv');
  writeFileSync(path, text);
  openStepLog(path, firstStep);
  return readFileSync(path, 'utf8');
};

describe('the log of steps, opened again', () => {
  it('keeps whole lines of earlier steps only', () => {
    expect(reopened('step,lr,loss\n0,0.05,2.3\n1,0.05,2.2\n2,0.05,2.1\n', 2)).toBe(
      'step,lr,loss\n0,0.05,2.3\n1,0.05,2.2\n',
    );
  });

  it('drops a torn last line, whatever step it looks like', () => {
    expect(reopened('step,lr,loss\n0,0.05,2.3\n1', 12)).toBe('step,lr,loss\n0,0.05,2.3\n');
    expect(reopened('step,l', 0)).toBe('step,lr,loss\n');
  });

  it.each(['hello', 'hello\n1\n', 'step,lr,loss,more\n'])('refuses %j', (text) => {
    expect(() => reopened(text, 0)).toThrow(/not a log of steps/);
    expect(readFileSync(join(dir, 'steps.csv'), 'utf8')).toBe(text);
  });
});
