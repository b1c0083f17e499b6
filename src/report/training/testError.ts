import type { LogRow } from '../../train/logRow.ts';
import { figureSvg } from '../chart/figure.ts';
import { errorOf, errorPanel, titleOf } from './runCurves.ts';
import type { RunReport } from './runReport.ts';

/* Test error of raw and averaged weights over the epochs of one run, as in figure 6 of the paper. */

interface TestedEpoch {
  readonly epoch: number;
  /** In percent. */
  readonly sgd?: number;
  readonly swa?: number;
}

/** The epochs at whose end something was tested. */
function testedEpochs(rows: readonly LogRow[]): TestedEpoch[] {
  return rows.flatMap(({ epoch, testAccuracy, swaTestAccuracy }) => {
    const [sgd, swa] = [errorOf(testAccuracy), errorOf(swaTestAccuracy)];
    if (sgd === undefined && swa === undefined) return [];
    return [{ epoch, ...(sgd !== undefined && { sgd }), ...(swa !== undefined && { swa }) }];
  });
}

export const testErrorCsv = ({ rows }: RunReport): string =>
  [
    'epoch,test_error_sgd,test_error_swa',
    ...testedEpochs(rows).map(({ epoch, sgd, swa }) => `${epoch},${sgd ?? ''},${swa ?? ''}`),
    '',
  ].join('\n');

export const testErrorJson = ({ name, by, settings, dataset, rows }: RunReport): string =>
  `${JSON.stringify(
    { format: 'swa-align test error/1', name, by, settings, dataset, epochs: testedEpochs(rows) },
    null,
    1,
  )}\n`;

export const testErrorPicture = (run: RunReport): string =>
  figureSvg({
    title: titleOf(run),
    subtitle: `${run.dataset.test.images.toLocaleString('en')} test images, seed ${run.settings.seed}; ${run.by}`,
    runs: [],
    panels: [errorPanel([{ run, stroke: 'solid' }], 'test')],
  });
