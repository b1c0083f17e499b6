import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nearestNames } from './nearestNames.ts';

const names = ['conv1.output', 'conv2.output', 'fc.weight', 'fc.weight.grad', 'loss'];

describe('the nearest names', () => {
  it('come first where least was mistyped', () => {
    expect(nearestNames('conv2.outptu', names)).toEqual(['conv2.output', 'conv1.output']);
    expect(nearestNames('los', names)).toEqual(['loss']);
    expect(nearestNames('encoder.7.attention', names)).toEqual([]);
    expect(nearestNames('x', ['a', 'b', 'c', 'd'])).toHaveLength(3);
    expect(nearestNames('loss', [])).toEqual([]);
  });

  it('hold a name of which one letter was lost, added or replaced', () => {
    const text = fc.string({ minLength: 3, maxLength: 12 });
    fc.assert(
      fc.property(text, fc.nat(), fc.constantFrom('', '§', '§§'), (name, n, put) => {
        const at = n % name.length;
        const typed = name.slice(0, at) + put + name.slice(at + 1);
        expect(nearestNames(typed, ['entirely different', name])[0]).toBe(name);
      }),
    );
  });
});
