import fc from 'fast-check';
import { expect, test } from 'vitest';
import { failuresOf } from '../diffReport.ts';
import { anyReports } from '../testdata/anyReport.ts';
import { divergingTrace, failingReport, passingReport, report } from '../testdata/sampleReports.ts';
import { githubAnnotations } from './githubAnnotations.ts';

/** Reads a workflow command by the rules of GitHub's runner (actions/runner, `ActionCommand.cs`). */
function readCommand(line: string): { title: string; message: string } {
  const [, head, message] = /^::([^:]*(?:%3A[^:]*)*)::(.*)$/su.exec(line) ?? [];
  expect(head, line).toBeDefined();
  const space = head.indexOf(' ');
  expect(head.slice(0, space)).toBe('error');
  const properties = head.slice(space + 1).split(',');
  expect(properties, 'one property').toHaveLength(1);
  const [key, value] = [properties[0].slice(0, 5), properties[0].slice(6)];
  expect(key).toBe('title');
  const unescaped = (text: string): string => text.replaceAll('%0D', '\r').replaceAll('%0A', '\n');
  return {
    title: unescaped(value).replaceAll('%3A', ':').replaceAll('%2C', ',').replaceAll('%25', '%'),
    message: unescaped(message).replaceAll('%25', '%'),
  };
}

test('nothing for a run that passed', () => {
  expect(githubAnnotations([passingReport])).toEqual([]);
});

test('one error a failure, the divergence of a trace before the stages', () => {
  const lines = githubAnnotations([report(failingReport.results, divergingTrace)]);
  expect(lines).toHaveLength(50);
  expect(lines[0]).toBe(
    '::error title=vgg16 trace%3A features.15.output.grad::features.15.output.grad: output gradient, diverges: adds 0.019, limit 2.4e-7: 4 × a float32 rounding, PyTorch being within one',
  );
});

test('the runner reads back what was meant: no name ends a line, a property or the command', () => {
  fc.assert(
    fc.property(anyReports, (reports) => {
      const failures = reports.flatMap(failuresOf);
      const lines = githubAnnotations(reports);
      expect(lines).toHaveLength(failures.length);
      for (const [i, { model, part, name, why }] of failures.entries()) {
        expect(lines[i]).not.toMatch(/[\r\n]/);
        expect(readCommand(lines[i])).toEqual({
          title: `${model} ${part}: ${name}`,
          message: `${name}: ${why}`,
        });
      }
    }),
    { numRuns: 100 },
  );
});
