import { describe, expect, test } from 'vitest';
import { UsageError } from '../../errors.ts';
import { learningRate } from '../../optim/schedule.ts';
import { profileSettings } from './profiles.ts';
import {
  type GivenSettings,
  parseSettings,
  recipe,
  resumedSettings,
  scheduleOf,
  settingsFrom,
} from './trainingSettings.ts';

test('the recipe is the published one', () => {
  expect(settingsFrom({ swa: true })).toMatchObject({
    batchSize: 128,
    lrInit: 0.05,
    momentum: 0.9,
    wd: 5e-4,
    dropout: true,
    swaStart: 161,
    swaLr: 0.01,
    epochs: 200,
  });
});

test('the profile ncpaddle is what the port checked its backward pass with', () => {
  expect(settingsFrom(profileSettings('ncpaddle'))).toMatchObject({
    dropout: false,
    lrInit: 0.1,
    wd: 1e-4,
  });
  expect(() => profileSettings('paddle')).toThrow('`swa-align profiles` lists them');
});

test.each<[GivenSettings, string]>([
  [{ batchSize: 0 }, '--batch-size'],
  [{ epochs: 1.5 }, '--epochs'],
  [{ lrInit: 0 }, '--lr-init'],
  [{ momentum: 2 }, '--momentum'],
  [{ wd: Number.NaN }, '--wd'],
  [
    { narrow: 3 },
    '--narrow 3 does not divide the widths of VGG16; give one of 1, 2, 4, 8, 16, 32, 64',
  ],
  [{ narrow: 0.5 }, '--narrow'],
  [{ model: 'wideresnet28x10', narrow: 2 }, 'widths of WideResNet28x10; leave --narrow out'],
  [{ swa: true, epochs: 2 }, '--swa-start 161 is after the last of 2 epochs'],
  [{ swaStart: 3 }, '--swa-start does nothing without --swa'],
  [{ swaLr: 0.1, swa: false }, '--swa-lr does nothing without --swa'],
])('%j is refused by its flag', (given, message) => {
  expect(() => settingsFrom(given)).toThrow(UsageError);
  expect(() => settingsFrom(given)).toThrow(message);
});

test('a setting that nobody knows is refused', () => {
  expect(() => parseSettings({ ...recipe, nesterov: true }, 'a file')).toThrow(/^a file: /);
});

test('widths of the paper are not written down, so that runs are the same with and without the flag', () => {
  expect(settingsFrom({ narrow: 1 })).toEqual(settingsFrom({}));
  expect('narrow' in settingsFrom({ narrow: 1 })).toBe(false);
});

describe('a resumed run', () => {
  const began = settingsFrom({ swa: true, seed: 3 });

  test('keeps the settings it began with', () => {
    expect(resumedSettings(began, { seed: 3, swa: true, narrow: 1 }, 'c')).toBe(began);
    const narrow = settingsFrom({ narrow: 8 });
    expect(resumedSettings(narrow, { narrow: 8 }, 'c')).toBe(narrow);
    expect(() => resumedSettings(narrow, { narrow: 1 }, 'c')).toThrow('--narrow 8, not 1');
  });

  test.each<[GivenSettings, string]>([
    [{ seed: 4 }, 'the run began with --seed 3, not 4'],
    [{ seed: '9007199254740993' }, 'the run began with --seed 3, not 9007199254740993'],
    [{ narrow: 8 }, 'the run began with --narrow 1, not 8'],
    [{ lrInit: 0.1 }, 'the run began with --lr-init 0.05, not 0.1'],
    [{ swa: false }, 'the run began with --swa on, not off'],
    [{ model: 'vgg19' }, 'the run began with --model vgg16, not vgg19'],
    [{ dropout: false }, 'the run began with --profile with dropout, not without dropout'],
  ])('refuses %j', (given, message) => {
    expect(() => resumedSettings(began, given, 'checkpoint-1')).toThrow(`checkpoint-1: ${message}`);
  });
});

test('trap: the schedule divides by swa_start, reaching swa_lr at epoch 145 (0-based)', () => {
  const schedule = scheduleOf(settingsFrom({ swa: true }));
  const rates = Array.from({ length: 200 }, (_, epoch) => learningRate(epoch, schedule));
  expect(rates.findIndex((lr) => lr < 0.05)).toBe(81);
  expect(rates.findIndex((lr) => lr === 0.05 * (0.01 / 0.05))).toBe(145);
});
