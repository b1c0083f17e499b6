import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { renameBy } from '../nameMap.ts';
import { rowsOf } from './folded.ts';
import type { Proposal } from './proposal.ts';

const sure = (ours: string, probe: string, more: Partial<Proposal> = {}): Proposal => ({
  ours,
  probe,
  how: 'sure',
  because: 'values equal to 1.0e-7',
  equal: true,
  error: 1e-7,
  ...more,
});

const entriesOf = (names: readonly string[], proposals: readonly Proposal[]) =>
  rowsOf(names, proposals).map(({ entry }) => entry);

const oursOf = (proposals: readonly Proposal[]): string[] => proposals.map(({ ours }) => ours);
const fold = (proposals: readonly Proposal[], ...others: string[]) =>
  entriesOf([...oursOf(proposals), ...others], proposals).map(({ ours, probe, layout }) =>
    [ours, probe, ...(layout === undefined ? [] : [layout])].join(' → '),
  );

const blocks = [0, 1, 2, 3].map((i) => sure(`b${i}/conv/y`, `layers.${i}.conv.output`));

describe('entries of a map', () => {
  it('are one pattern where names are made the same way', () => {
    expect(fold(blocks)).toEqual(['b*/conv/y → layers.*.conv.output']);
    expect(fold([1, 2, 3].map((i) => sure(`my/${i}.y`, `${i}.y`)))).toEqual(['my/* → *']);
    expect(entriesOf(oursOf(blocks), blocks)[0].because).toBe('4 tensors, values equal to 1.0e-7');
  });

  it('have a star for what both names say, however they count', () => {
    const layers = ['conv1', 'relu@1', 'bn', 'shortcut.0'].map((layer) =>
      sure(`it1/Layers_1/${layer}/out`, `layers.0.${layer}.output`, { layout: 'NHWC' }),
    );
    expect(fold(layers)).toEqual(['it1/Layers_1/*/out → layers.0.*.output → NHWC']);
  });

  it('are literal where a pattern would fit another tensor too', () => {
    expect(fold(blocks, 'b7/conv/y')).toHaveLength(4);
    expect(fold(blocks, 'other')).toHaveLength(1);
  });

  it('are literal where they are few, or not sure', () => {
    expect(fold(blocks.slice(0, 2))).toHaveLength(2);
    expect(fold(blocks.map((one) => ({ ...one, how: 'guess' })))).toHaveLength(4);
    expect(fold(blocks.map((one) => ({ ...one, equal: false, how: 'likely' })))).toHaveLength(4);
  });

  it('keep layouts apart', () => {
    const laid = blocks.map((one, i) => (i === 2 ? { ...one, layout: 'NHWC' } : one));
    expect(fold(laid)).toContain('b2/conv/y → layers.2.conv.output → NHWC');
    expect(fold(laid)).toHaveLength(4);
    const all = blocks.map((one) => ({ ...one, layout: 'NHWC' }));
    expect(fold(all)).toEqual(['b*/conv/y → layers.*.conv.output → NHWC']);
  });

  it('leave out names that are right already', () => {
    expect(fold([sure('fc.output', 'fc.output'), sure('y', 'fc.weight')])).toEqual([
      'y → fc.weight',
    ]);
  });

  it('make of each name what is proposed, each entry of one at least, whatever signs names hold', () => {
    const part = fc.string({
      unit: fc.constantFrom('a', 'b', '0', '1', '12', '.', '/', '*', '\\', '?', '$'),
      maxLength: 5,
    });
    const made = fc.record({ from: part, to: part, mid: part, end: part, n: fc.nat(12) });
    fc.assert(
      fc.property(
        fc.array(made, { maxLength: 6 }),
        fc.array(part, { maxLength: 4 }),
        (all, others) => {
          const proposals = new Map<string, Proposal>();
          const used = new Set<string>();
          for (const { from, to, mid, end, n } of all)
            for (const i of [n, n + 1, n + 2]) {
              const [ours, probe] = [`x${from}${i}${mid}`, `y${to}${i}${end}`];
              if (!proposals.has(ours) && !used.has(probe)) proposals.set(ours, sure(ours, probe));
              used.add(probe);
            }
          const names = [...new Set([...proposals.keys(), ...others.map((o) => `x${o}`)])];
          const entries = entriesOf(names, [...proposals.values()]);
          const renames = entries.map((entry) => renameBy(entry));
          const idle = new Set(renames);
          for (const name of names) {
            const by = renames.find((rename) => rename(name) !== undefined);
            if (by !== undefined) idle.delete(by);
            expect(by?.(name)).toBe(proposals.get(name)?.probe);
          }
          expect(idle.size).toBe(0);
        },
      ),
      { numRuns: 300 },
    );
  });
});
