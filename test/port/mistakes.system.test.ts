import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readRecording } from '../../src/io/recording.ts';
import { judge } from '../../src/port/judgeWithCauses.ts';
import { openReference } from '../../src/port/openReference.ts';
import { hasRecorderTorch } from '../support/pythons.ts';

const script = fileURLToPath(new URL('mistakes.py', import.meta.url));

/** The mistake, the first tensor that is wrong by it, and what is said of that. */
const mistakes: readonly (readonly [string, string, RegExp])[] = [
  ['conv bias missing', 'conv.output', /^its bias is missing$/],
  ['conv bias twice', 'conv.output', /^its bias is added twice$/],
  ['linear bias missing', 'fc1.output', /^its bias is missing$/],
  ['shortcut missing', 'sum.output', /^the term act\.output is missing: a shortcut's$/],
  ['shortcut twice', 'sum.output', /^the term act\.output is added twice$/],
  ['shortcut halved', 'sum.output', /^the term act\.output counts 0\.3 times, not once$/],
  ['shortcut detached', 'act.output.grad', /^what comes back by sum\.output\.grad is missing/],
  ['gradients accumulated', 'step1/fc2.bias.grad', /^gradients are added up over steps/],
  ['decay in gradient', 'fc2.bias.grad', /^weight decay is in it: 0\.01 × the weight$/],
  ['decay missing', 'conv.weight.momentum', /^weight decay is missing$/],
  ['decay twice', 'conv.weight.momentum', /^weight decay counts twice: 0\.02 in place of 0\.01$/],
  ['decay another', 'conv.weight.momentum', /^fits weight decay 0\.003, the reference used 0\.01$/],
  ['momentum missing', 'step1/conv.weight', /^momentum is missing: the velocity is the gradient/],
  [
    'momentum another',
    'step1/conv.weight.momentum',
    /^fits momentum 0\.5, the reference used 0\.9$/,
  ],
  ['dampened', 'step1/conv.weight.momentum', /^the gradient counts 1 − momentum times/],
  ['nesterov', 'conv.weight', /^a step of Nesterov's momentum, the reference's is plain$/],
  [
    'velocity forgotten',
    'step1/conv.weight.momentum',
    /^momentum is missing: the velocity is the gradient/,
  ],
  ['ascent', 'conv.weight', /^its step goes the other way: the learning rate has the other sign$/],
  ['lr twice', 'conv.weight', /^fits a learning rate of 0\.1, the reference used 0\.05$/],
  ['lr another', 'conv.weight', /fits a learning rate of 0\.02, the reference used 0\.05$/],
  ['bn momentum', 'bn.running_mean', /^fits momentum 0\.9, the reference used 0\.1: what is kept/],
  ['bn momentum another', 'bn.running_mean', /^fits momentum 0\.01, the reference used 0\.1$/],
  ['bn updated twice', 'bn.running_mean', /: updated twice by the same batch$/],
  ['bn biased', 'bn.running_var', /^by the variance of n, the reference takes that of n − 1$/],
  ['bn eps', 'bn.output', /^fits epsilon 1\.0e-5, the reference used 1\.0e-3$/],
  ['bn running', 'bn.output', /^running statistics are used, the reference uses the batch's$/],
  ['bn without weight', 'bn.output', /^its weight is missing$/],
  ['bn without bias', 'bn.output', /^its bias is missing$/],
  ['bn batch in evaluation', 'step2/bn.output', /^the batch's statistics are used, the reference/],
  ['group norm eps', 'group.output', /^fits epsilon 0\.01, the reference used 1\.0e-3$/],
  ['group norm without eps', 'group.output', /^epsilon is missing or far smaller, the reference/],
  ['layer norm eps', 'ln.output', /^fits epsilon 1\.0e-5, the reference used 1\.0e-3$/],
  ['layer norm unbiased', 'ln.output', /^divided by the deviation of n − 1, the reference takes/],
  ['layer norm eps outside', 'ln.output', /^epsilon is added to the deviation/],
  ['layer norm not centred', 'ln.output', /^the mean is not taken away: as RMSNorm does$/],
  ['softmax', 'log.output', /^softmax is computed, the reference's is log-softmax$/],
  ['logits', 'log.output', /^the activation is missing: the reference's is log-softmax$/],
  ['relu after linear', 'fc2.output', /^ReLU of the reference's: applied once too often/],
  ...(
    [
      ['relu', 'ReLU'],
      ['relu6', 'ReLU6'],
      ['leaky', 'leaky ReLU of 0\\.01'],
      ['elu', 'ELU'],
      ['selu', 'SELU'],
      ['gelu_tanh', 'GELU by tanh'],
      ['silu', 'SiLU \\(swish\\)'],
      ['mish', 'Mish'],
      ['sigmoid', 'sigmoid'],
      ['log_sigmoid', 'log-sigmoid'],
      ['tanh', 'tanh'],
      ['softplus', 'softplus'],
      ['softsign', 'softsign'],
      ['hardswish', 'hardswish'],
      ['hardsigmoid', 'hardsigmoid'],
    ] as const
  ).map(
    ([name, called]) =>
      [
        `act ${name}`,
        'act.output',
        new RegExp(`^${called} is computed, the reference's is GELU by erf$`),
      ] as const,
  ),
  ['act nothing', 'act.output', /^the activation is missing: the reference's is GELU by erf$/],
];

describe.skipIf(!hasRecorderTorch)('mistakes in a small network (needs PyTorch 2.1)', () => {
  let dir: string;
  beforeAll(() => {
    dir = mkdtempSync(join(tmpdir(), 'swa-align-mistakes-'));
    const made = spawnSync('python3', [script, dir], { encoding: 'utf8' });
    expect(made.status, made.stderr).toBe(0);
  });
  afterAll(() => rmSync(dir, { recursive: true }));

  const judged = (name: string) =>
    judge(readRecording(join(dir, `${name}.npz`)).tensors, openReference(join(dir, 'reference')), {
      partial: true,
    });

  it('passes without one', () => {
    const { passed, message } = judged('right');
    expect(passed, message).toBe(true);
  });

  it.each(mistakes)('%s', (name, tensor, says) => {
    const [first] = judged(name).diverges;
    expect(first.name).toBe(tensor);
    expect(first.cause?.says).toMatch(says);
    expect(first.cause!.explains).toBeGreaterThan(0);
    expect(first.cause!.left).toBeLessThan(1e-5);
  });

  it('none is planted and not looked for', () => {
    const planted = readdirSync(dir).flatMap((file) => /^(.*)\.npz$/.exec(file)?.[1] ?? []);
    expect(planted.sort()).toEqual(['right', ...mistakes.map(([name]) => name)].sort());
  });
});
