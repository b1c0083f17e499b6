import { describe, expect, it } from 'vitest';
import { agree, agreementCases } from '../../test/support/backendAgainstOracle.ts';
import { caseOps } from '../../test/support/opCases.ts';
import { tensor } from '../tensor/tensor.ts';
import type { Backend } from './backend.ts';
import { oracleBackend } from './oracle/oracleBackend.ts';
import { ortBackend } from './ort/cpu/ortBackend.ts';

describe('agree', () => {
  it('has a case for every op, and the oracle agrees with itself', async () => {
    const cases = agreementCases(8);
    expect(new Set(cases.map(({ op }) => op))).toEqual(new Set(caseOps));
    expect(await agree(oracleBackend(), cases)).toEqual([]);
  });

  /** The oracle as a float32 backend whose results are changed on the way out. */
  const changed = (change: (v: number) => number): Backend => {
    const oracle = oracleBackend();
    return {
      ...oracle,
      precision: 'float32',
      async compile(program, fetches) {
        const executable = await oracle.compile(program, fetches);
        return {
          ...executable,
          async run(state, inputs) {
            const results = await executable.run(state, inputs);
            return new Map(
              [...results].map(([name, t]) => [
                name,
                t.dtype === 'float64' ? tensor('float64', t.shape, t.data.map(change)) : t,
              ]),
            );
          },
        };
      },
    };
  };

  it('accepts rounding to float32', async () => {
    expect(await agree(changed(Math.fround))).toEqual([]);
  });

  it('says which case, element and numbers disagree', async () => {
    const [complaint] = await agree(
      changed((v) => v * (1 + 1e-5)),
      agreementCases(1, ['exp']),
    );
    expect(complaint).toMatch(/^exp: seed 0 \[.*\] \{\}: element 0 is .*, the oracle has .* ± /);
    const nan = await agree(
      changed(() => Number.NaN),
      agreementCases(1, ['neg']),
    );
    expect(nan).toHaveLength(1);
  });
});

it('ONNX Runtime on the CPU agrees with the oracle on every op', async () => {
  expect(await agree(await ortBackend(), agreementCases(12))).toEqual([]);
}, 60_000);
