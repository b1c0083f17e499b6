import { passed, type Verdict } from '../../align/judge/verdict.ts';
import type { StageResult } from '../../align/stages/stage.ts';
import { flipWords } from '../diffReport.ts';
import { shareOfLimit } from '../diffSummary.ts';
import { cellNumber, outcomeWords, percent } from './cells.ts';
import type { Row, Table } from './table.ts';
import { type LayerWords, tensorName } from './tensorName.ts';

const pytorchsOwn = 'PyTorch’s own';

const columns = [
  { title: 'Tensor' },
  { title: 'Result' },
  { title: 'Stage' },
  { title: 'Measure' },
  { title: 'Ours', numeric: true },
  { title: 'Limit', numeric: true },
  { title: '% of limit', numeric: true },
  { title: pytorchsOwn, numeric: true },
  { title: 'Mean |a − b|', numeric: true },
  { title: 'ULP', numeric: true },
  { title: 'Note', long: true },
] as const;

/** Of the tensor and not of the check: once is enough. */
const remarks = ({ flips = [], override, warning }: Verdict): string[] => [
  ...(warning === undefined ? [] : [warning]),
  ...(override === undefined ? [] : [`limit by hand: ${override.reason}`]),
  ...flips.map(flipWords),
];

function rowsOf({ stage, verdicts }: StageResult<string>, layers: LayerWords): Row[] {
  return verdicts.flatMap((verdict): Row[] => {
    const { checks, problem, distances } = verdict;
    const name = tensorName(verdict.name, layers);
    if (checks.length === 0 || problem !== undefined) {
      const why = problem ?? 'nothing was checked';
      return [
        {
          outcome: 'failed',
          cells: [name, outcomeWords.failed, stage, 'not measured', ...Array(6).fill(''), why],
        },
      ];
    }
    return checks.map((check, i) => {
      const outcome = check.passed ? 'passed' : 'failed';
      return {
        outcome,
        cells: [
          name,
          outcomeWords[outcome],
          stage,
          check.method,
          cellNumber(check.value),
          cellNumber(check.threshold),
          percent(shareOfLimit(check), check.threshold),
          cellNumber(check.pytorch),
          // To PyTorch's float32.
          i === 0 ? cellNumber(distances?.meanAbs) : '',
          i === 0 ? cellNumber(distances?.maxUlp) : '',
          [check.note, ...(i === 0 ? remarks(verdict) : [])].filter((text) => text).join('; '),
        ],
      };
    });
  });
}

/** Whether PyTorch's own error stands beside ours. */
export const measuresPyTorch = ({ verdicts }: Pick<StageResult<string>, 'verdicts'>): boolean =>
  verdicts.some(({ checks }) => checks.some(({ pytorch }) => pytorch !== undefined));

/** Every check of a model's stages, a row each, in the order they were made. */
export function checkTable(
  model: string,
  id: string,
  results: readonly StageResult<string>[],
  layers: LayerWords,
): Table {
  const verdicts = results.flatMap((r) => r.verdicts);
  const own = results.some(measuresPyTorch);
  const shown = ({ title }: (typeof columns)[number]): boolean => own || title !== pytorchsOwn;
  const failed = verdicts.filter((v) => !passed(v)).length;
  return {
    id,
    caption: `Checks of ${model}: ${verdicts.length} tensors, losses and digests, ${failed} failed`,
    columns: columns.filter(shown),
    rows: results
      .flatMap((result) => rowsOf(result, layers))
      .map((row) => ({ ...row, cells: row.cells.filter((_, i) => shown(columns[i])) })),
    tools: true,
  };
}
