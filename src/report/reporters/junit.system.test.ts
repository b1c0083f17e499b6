import { spawnSync } from 'node:child_process';
import fc from 'fast-check';
import { XMLParser, XMLValidator } from 'fast-xml-parser';
import { describe, expect, test } from 'vitest';
import { pythonHas } from '../../../test/support/pythons.ts';
import { passed } from '../../align/judge/verdict.ts';
import { failuresOf, reportPassed } from '../diffReport.ts';
import { anyReports, hostile } from '../testdata/anyReport.ts';
import {
  divergingTrace,
  facts,
  failingReport,
  passingReport,
  passingTrace,
  report,
  result,
} from '../testdata/sampleReports.ts';
import { junitXml } from './junit.ts';

interface ParsedCase {
  readonly name: string;
  readonly classname: string;
  readonly failure?: readonly { readonly message: string; readonly type: string }[];
}
interface ParsedSuite {
  readonly name: string;
  readonly tests: string;
  readonly failures: string;
  readonly testcase: readonly ParsedCase[];
}

const parser = new XMLParser({
  ignoreAttributes: false,
  attributeNamePrefix: '',
  parseAttributeValue: false,
  htmlEntities: true,
  isArray: (name) => ['testsuite', 'testcase', 'failure', 'property'].includes(name),
});

function parsed(xml: string): { tests: string; failures: string; testsuite: ParsedSuite[] } {
  expect(XMLValidator.validate(xml)).toBe(true);
  const { testsuites } = parser.parse(xml);
  return { ...testsuites, testsuite: testsuites.testsuite ?? [] };
}

describe('JUnit XML', () => {
  test('a suite a stage, a case a tensor, the failures with their reasons', () => {
    const { tests, failures, testsuite } = parsed(junitXml([passingReport, failingReport], facts));
    expect(testsuite.map(({ name }) => name)).toEqual([
      'vgg16.forward',
      'vgg16.backward',
      'vgg16.forward',
      'vgg16.loss',
    ]);
    expect(tests).toBe(String(39 + 64 + 39 + 1));
    expect(failures).toBe('20');
    const failed = testsuite[2].testcase.filter(({ failure }) => failure !== undefined);
    expect(failed).toHaveLength(19);
    expect(failed[0].name).toBe('features.20');
    expect(failed[0].failure?.[0].type).toBe('relative l2');
    expect(failed.at(-1)?.failure?.[0]).toMatchObject({
      type: 'not measured',
      message: 'our element 0 is NaN',
    });
    expect(testsuite[3].testcase[0].failure?.[0].message).toBe('our element 0 is NaN');
  });

  test('a trace is a suite of its own, in which what only inherits says so', () => {
    const { testsuite } = parsed(junitXml([report([], divergingTrace)], facts));
    expect(testsuite).toHaveLength(1);
    expect(testsuite[0]).toMatchObject({ name: 'vgg16.trace', tests: '108', failures: '30' });
    const failed = testsuite[0].testcase.filter(
      ({ failure }) => failure !== undefined && failure[0].type !== 'inherits',
    );
    expect(failed.map(({ name }) => name)).toEqual([
      'output gradient: features.15.output.grad',
      'weight gradient: features.0.weight.grad',
    ]);
    expect(failed[1].failure?.[0].message).toContain('our element 0 is NaN');
    expect(parsed(junitXml([report([], passingTrace)], facts)).failures).toBe('0');
  });

  test('a stage that checked nothing is no success', () => {
    const { testsuite } = parsed(junitXml([report([result('loss', [])])], facts));
    expect(testsuite[0]).toMatchObject({ tests: '1', failures: '1' });
  });

  test('names come back from a parser as they were', () => {
    const names = hostile.filter((name) => name.trim() !== '' && !name.includes('\u0000'));
    const xml = junitXml(
      [
        report([
          result(
            'loss',
            names.map((name) => ({ name, checks: [], problem: name })),
          ),
        ]),
      ],
      facts,
    );
    const [{ testcase }] = parsed(xml).testsuite;
    expect(testcase.map(({ name }) => name)).toEqual(names);
    expect(testcase.map(({ failure }) => failure?.[0].message)).toEqual(names);
  });

  const countsHold = (xml: string): void => {
    const all = parsed(xml);
    for (const { tests, failures, testcase } of all.testsuite) {
      expect(tests).toBe(String(testcase.length));
      expect(failures).toBe(String(testcase.filter((c) => c.failure !== undefined).length));
    }
    const sum = (key: 'tests' | 'failures'): number =>
      all.testsuite.reduce((total, suite) => total + Number(suite[key]), 0);
    expect(all.tests).toBe(String(sum('tests')));
    expect(all.failures).toBe(String(sum('failures')));
  };

  test('whatever the run, it is well-formed, counts what it holds and fails as the run does', () => {
    fc.assert(
      fc.property(anyReports, (reports) => {
        const xml = junitXml(reports, facts);
        countsHold(xml);
        const verdicts = reports.flatMap((r) => r.results.flatMap((s) => s.verdicts));
        expect(Number(parsed(xml).failures) === 0).toBe(
          reports.every((r) => failuresOf(r).length === 0),
        );
        if (verdicts.some((v) => !passed(v))) expect(reports.every(reportPassed)).toBe(false);
      }),
      { numRuns: 60 },
    );
  });

  test.skipIf(!pythonHas([]))('Python’s parser reads it too (needs python3)', () => {
    const everything = hostile.map((name) => ({ name, checks: [], problem: name }));
    const xml = junitXml([passingReport, report([result('loss', everything)])], facts);
    const script =
      'import sys, xml.etree.ElementTree as e; r = e.fromstring(sys.stdin.buffer.read()); print(len(r.findall(".//testcase")), len(r.findall(".//failure")))';
    const { status, stdout, stderr } = spawnSync('python3', ['-c', script], { input: xml });
    expect(status, stderr.toString()).toBe(0);
    expect(stdout.toString().trim()).toBe(`${39 + 64 + hostile.length} ${hostile.length}`);
  });
});
