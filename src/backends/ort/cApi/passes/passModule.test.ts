import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { NamedSource, NumberSource, Pass, Step, Tail } from './pass.ts';
import { passOps } from './passOps.ts';
import { tailRunner } from './runTail.ts';
import { wasmMemory } from './wasmMemory.ts';

const wasm = wasmMemory();
const float = fc.float({ noDefaultInfinity: false, noNaN: false });
const state = (name: string): NamedSource => ({ from: 'state', name });
const constant = (value: number): NumberSource => ({ from: 'constant', value });

/** A pass over random tensors and numbers: each step takes any values before it. */
const drawn = fc
  .record({
    size: fc.integer({ min: 1, max: 37 }),
    tensors: fc.integer({ min: 1, max: 3 }),
    scalars: fc.array(float, { maxLength: 2 }),
    ops: fc.array(fc.tuple(fc.constantFrom(...Object.keys(passOps)), fc.nat(), fc.nat()), {
      minLength: 1,
      maxLength: 6,
    }),
  })
  .chain(({ size, tensors, scalars, ops }) => {
    const before = tensors + scalars.length;
    const steps = ops.map(([op, a, b], i): Step => {
      const name = op as keyof typeof passOps;
      const operands = [a, b].map((n) => n % (before + i));
      return { op: name, operands: operands.slice(0, passOps[name].of.length) };
    });
    const names = Array.from({ length: tensors }, (_, i) => `t${i}`);
    const pass: Pass = {
      size,
      tensors: names.map(state),
      scalars: scalars.map(constant),
      steps,
      // The last value over the first tensor that it may be computed from.
      writes: [{ state: 't0', value: before + steps.length - 1 }],
      sums: [before + steps.length - 1],
    };
    const column = fc.array(float, { minLength: size, maxLength: size });
    return fc.record({ pass: fc.constant(pass), values: fc.tuple(...names.map(() => column)) });
  });

/** The last value of a pass at one element, by JavaScript rounded to float32 after each step. */
function expected(
  { tensors, scalars, steps }: Pass,
  values: readonly number[][],
  i: number,
): number {
  const at = [
    ...tensors.map((_, t) => values[t][i]),
    ...scalars.map((source) => (source.from === 'constant' ? source.value : Number.NaN)),
  ].map(Math.fround);
  for (const { op, operands } of steps) {
    const [a, b] = operands.map((o) => at[o]);
    at.push(Math.fround(passOps[op].of(a, b)));
  }
  return at[at.length - 1];
}

test('a pass gives the bits of float32 arithmetic in every element, over what it reads', () => {
  fc.assert(
    fc.property(drawn, ({ pass, values }) => {
      const { size } = pass;
      const addresses = values.map(() => wasm.allocate(4 * (size + 1))!);
      const views = addresses.map((a) => new Float32Array(wasm.memory.buffer, a, size + 1));
      for (const [t, view] of views.entries()) view.set([...values[t], 12345]);
      const tail: Tail = {
        passes: [pass],
        numbers: {
          scalars: [{ from: 'sum', pass: 0, at: 0 }],
          steps: [],
          fetched: new Map([['sum', 0]]),
        },
      };
      const fetched = tailRunner(tail, wasm).run({
        number: (source) => (source as { readonly value: number }).value,
        address: ({ name }) => addresses[Number(name.slice(1))],
      });
      const wanted = Array.from({ length: size }, (_, i) => expected(pass, values, i));
      expect([...views[0].subarray(0, size)]).toEqual(wanted);
      // Nothing behind the last element, and no other tensor.
      expect(views.map((view) => view[size])).toEqual(values.map(() => 12345));
      for (const [t, view] of views.entries()) {
        if (t > 0) expect([...view.subarray(0, size)]).toEqual(values[t].map(Math.fround));
      }
      expect(fetched.get('sum')).toEqual(laneSum(wanted));
      for (const a of addresses) wasm.release(a, 4 * (size + 1));
    }),
  );
});

/** The sum as four lanes add it up, what does not fill them behind. */
function laneSum(values: readonly number[]): number {
  const lanes = [0, 0, 0, 0, 0];
  const whole = values.length - (values.length % 4);
  for (const [i, v] of values.entries()) {
    const lane = i < whole ? i % 4 : 4;
    lanes[lane] = Math.fround(lanes[lane] + v);
  }
  return lanes.reduce((sum, lane) => Math.fround(sum + lane));
}

test('memory keeps tensors apart, takes back what is released, and says where there is no more', () => {
  const small = wasmMemory(2);
  const [a, b] = [small.allocate(100)!, small.allocate(1)!];
  expect([a % 64, b % 64]).toEqual([0, 0]);
  expect(b).toBeGreaterThanOrEqual(a + 100);
  const before = new Uint8Array(small.memory.buffer, a, 1);
  const grown = small.allocate(70_000)!;
  expect(grown + 70_000).toBeLessThanOrEqual(small.memory.buffer.byteLength);
  new Uint8Array(small.memory.buffer, a, 1)[0] = 7;
  expect(before[0]).toBe(7);
  expect(small.allocate(70_000)).toBeUndefined();
  small.release(grown, 70_000);
  expect(small.allocate(70_000)).toBe(grown);
});
