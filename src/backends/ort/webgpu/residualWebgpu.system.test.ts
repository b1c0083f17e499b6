/** Residual networks on ONNX Runtime's WebGPU provider, whose sessions refuse a graph with a node on the CPU. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { needsSwiftshader, swiftshader, useSwiftshader } from '../../../../test/machine.ts';
import { agree } from '../../../../test/support/backendAgainstOracle.ts';
import { tolerances } from '../../../align/judge/tolerances.ts';
import { preResNet } from '../../../nn/models/preResNet.ts';
import { wideResNet } from '../../../nn/models/wideResNet.ts';
import type { Backend } from '../../backend.ts';
import { openOn } from '../../choose.ts';
import { oracleBackend } from '../../oracle/oracleBackend.ts';
import { narrowTraining, trained, worstErrors } from '../testdata/narrowTraining.ts';
import { convolutionCases, geometries, poolingCases } from '../testdata/residualCases.ts';

describe.skipIf(swiftshader === undefined)(`residual networks on WebGPU${needsSwiftshader}`, () => {
  let backend: Backend;
  beforeAll(async () => {
    useSwiftshader();
    ({ backend } = await openOn('ort', 'webgpu'));
  });
  afterAll(() => backend.close?.());

  test('1×1, strided and shortcut convolutions, average pooling, and their gradients', async () => {
    const cases = [...geometries.flatMap(convolutionCases), ...poolingCases()];
    expect(await agree(backend, cases)).toEqual([]);
  }, 120_000);

  test.each([
    ['PreResNet', preResNet({ depth: 11, classes: 10, narrow: 4 })],
    ['WideResNet', wideResNet({ depth: 10, widen: 1, classes: 10 })],
  ])(
    'a narrow %s of a block a stage trains with an error to the truth within the bar',
    async (_, model) => {
      const narrow = narrowTraining(model);
      const truth = await trained(oracleBackend(), narrow);
      const { first, after } = worstErrors(await trained(backend, narrow), truth);
      expect(first).toBeLessThan(tolerances.relativeL2BatchNorm);
      expect(after).toBeLessThan(tolerances.relativeL2BatchNorm);
    },
    180_000,
  );
});
