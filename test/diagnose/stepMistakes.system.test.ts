import { describe, expect, it } from 'vitest';
import { hasRecorderTorch } from '../support/pythons.ts';
import { madeInTorch } from './madeInTorch.ts';

describe.skipIf(!hasRecorderTorch)(
  'a wrong loss or step, made in PyTorch (needs PyTorch 2.1)',
  () => {
    const judged = madeInTorch('stepMistakes.py');

    it.each(['sgd', 'adam', 'adamw', 'rmsprop'])('%s passes where none is made', (network) => {
      const { passed, message } = judged(network, 'right');
      expect(passed, message).toBe(true);
    });

    it.each<[network: string, mistake: string, tensor: RegExp, says: RegExp]>([
      ['sgd', 'decay on biases', /^[02]\.bias/, /^fits weight decay 0\.02, the reference used 0$/],
      ['sgd', 'no decay', /^[02]\.weight/, /^weight decay is missing/],
      [
        'sgd',
        'plain momentum',
        /^[02]\./,
        /^a step of plain momentum, the reference's is Nesterov/,
      ],
      ['sgd', 'momentum', /^[02]\./, /^fits momentum 0\.6, the reference used 0\.9/],
      ['sgd', 'not cleared', /^step1\/.*\.grad/, /^gradients are added up over steps/],
      ['sgd', 'clipped', /\.grad$/, /^gradients are clipped to a norm of 0\.05 of all parameters/],
      ['sgd', 'summed', /^loss/, /^(the loss is|10 × the reference's:) summed over the batch/],
      ['sgd', 'smoothed', /^loss/, /^label smoothing of 0\.1 is on/],
      ['sgd', 'weighed', /^loss/, /^images count by their class, as by class weights/],
      ['adam', 'adamw', /^[02]\.weight/, /^weight decay is decoupled/],
      ['adam', 'beta2', /^[02]\./, /^fits beta2 0\.95, the reference used 0\.99/],
      ['adam', 'eps', /^[02]\./, /^fits eps 0\.001, the reference used 0\.00001/],
      ['adam', 'rate', /^[02]\./, /^fits a learning rate of 0\.004, the reference used 0\.01/],
      ['adamw', 'adam', /^[02]\.weight/, /^weight decay is added to the gradient, as Adam's/],
      ['adamw', 'decay', /^[02]\.weight/, /^fits weight decay 0\.2, the reference used 0\.05/],
      ['rmsprop', 'alpha', /^[02]\./, /^fits alpha 0\.9, the reference used 0\.95/],
      ['rmsprop', 'centered', /^[02]\./, /^it is centered/],
    ])('%s: %s', (network, mistake, name, says) => {
      const [first] = judged(network, mistake).diverges;
      expect(first.name).toMatch(name);
      expect(first.cause?.says).toMatch(says);
    });
  },
);
