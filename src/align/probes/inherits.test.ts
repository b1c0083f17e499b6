import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Probe } from '../reference/probe.ts';
import { inheritedFrom } from './inherits.ts';

const probe = (name: string, from: readonly string[] = []): Probe => ({
  name,
  kind: 'output',
  pass: 0,
  shape: [],
  dtype: 'float32',
  from: [...from],
});

describe('what a failure inherits from', () => {
  it('is the failed probe it is computed from, also through those that were not recorded', () => {
    const probes = [
      probe('a'),
      probe('b', ['a']),
      probe('c', ['b']),
      probe('d', ['c']),
      probe('e', ['d']),
    ];
    const found = inheritedFrom(probes, new Set(['a', 'd', 'e']), new Set(['a', 'd', 'e']));
    expect([...found]).toEqual([
      ['d', ['a']],
      ['e', ['d']],
    ]);
  });

  it('ends at a probe that passed: what is wrong behind it has not come through', () => {
    const probes = [probe('a'), probe('b', ['a']), probe('c', ['b'])];
    const found = inheritedFrom(probes, new Set(['a', 'c']), new Set(['a', 'b', 'c']));
    expect([...found]).toEqual([]);
  });

  it('is all failures from which a way leads over probes that nobody judged', () => {
    const graph = fc.array(
      fc.record({
        from: fc.array(fc.nat(), { maxLength: 3 }),
        state: fc.constantFrom('right', 'wrong', 'not recorded'),
      }),
      { maxLength: 14 },
    );
    fc.assert(
      fc.property(graph, (nodes) => {
        const sources = nodes.map(({ from }, i) => (i === 0 ? [] : from.map((n) => n % i)));
        const called = (state: string) =>
          nodes.flatMap((node, i) => (node.state === state ? [String(i)] : []));
        const wrong = new Set(called('wrong'));
        const found = inheritedFrom(
          nodes.map((_, i) => probe(String(i), sources[i].map(String))),
          wrong,
          new Set([...wrong, ...called('right')]),
        );
        const reached = (i: number): number[] =>
          sources[i].flatMap((n) =>
            nodes[n].state === 'wrong' ? [n] : nodes[n].state === 'right' ? [] : reached(n),
          );
        nodes.forEach(({ state }, i) => {
          const expected = state === 'wrong' ? new Set(reached(i).map(String)) : new Set();
          expect(new Set(found.get(String(i)))).toEqual(expected);
        });
      }),
    );
  });
});
