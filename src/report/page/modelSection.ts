import { counted } from '../../words.ts';
import { errorFigure } from '../chart/errorFigure.ts';
import { type DiffReport, modelOf } from '../diffReport.ts';
import { errorPanels } from '../errorPanels.ts';
import { checkTable } from './checkTable.ts';
import { type Html, html, slug, trusted } from './html.ts';
import { tableHtml } from './table.ts';
import { traceTable } from './traceTable.ts';

function figureWords({ trace, panels }: DiffReport): Html {
  if (panels !== undefined)
    return html`Relative L2 error to PyTorch in float64, in the order in which things are computed. Our error should lie where PyTorch’s own float32 does, and must stay below the dashed limit. Rest the pointer on a tensor to read its numbers.`;
  return trace !== undefined
    ? html`Relative L2 error to PyTorch in float64, in execution order. Where our line leaves PyTorch’s own float32, look at what the layer itself adds: an error that is only inherited was made further left. Rest the pointer on a layer to read its numbers.`
    : html`Relative L2 error to PyTorch in float64, in execution order, as the forward and backward stages measured it. Our error should lie where PyTorch’s own float32 does, and must stay below the dashed limit. Rest the pointer on a layer to read its numbers; <code>--trace</code> adds what each layer contributes by itself.`;
}

function figure(report: DiffReport, id: string): Html {
  const panels = errorPanels(report);
  if (panels.length === 0)
    return html`<p class="quiet">No stage of this run measured single layers.</p>`;
  const model = modelOf(report);
  const points = panels.reduce((sum, panel) => sum + panel.points.length, 0);
  const firsts = panels.flatMap(({ first, points }) =>
    first === undefined ? [] : [points[first].name],
  );
  const description = `${counted(points, 'tensor')} in ${counted(panels.length, 'panel')}, ours beside PyTorch's float32 on a logarithmic scale. ${
    firsts.length === 0 ? 'None diverges.' : `First to diverge: ${firsts.join(', ')}.`
  } The tables below hold the numbers.`;
  const picture = errorFigure(panels, { id, title: `Error of ${model} by layer`, description });
  return html`<figure>
<div class="chart" role="region" tabindex="0" aria-label="Error of ${model} by layer">${trusted(picture)}</div>
<figcaption>${figureWords(report)}</figcaption>
</figure>`;
}

function notes(report: DiffReport): Html | undefined {
  const lines = [
    ...(report.trace?.notes ?? []).map((note) => html`<li>trace: ${note}</li>`),
    ...report.results.flatMap(({ stage, notes }) =>
      notes.map((note) => html`<li>${stage}: ${note}</li>`),
    ),
  ];
  return lines.length === 0 ? undefined : html`<h3>Notes</h3><ul class="notes">${lines}</ul>`;
}

/** Everything about one model. `index` keeps the ids of two reports about the same model apart. */
export function modelSection(report: DiffReport, index: number): Html {
  const model = modelOf(report);
  const id = sectionId(report, index);
  const { trace, results, layers } = report;
  return html`<section aria-labelledby="${id}">
<h2 id="${id}">${model}</h2>
${notes(report)}
<h3>Error by layer</h3>
${figure(report, `${id}-figure`)}
${trace && html`<h3>Trace</h3>${tableHtml(traceTable(trace, `${id}-trace`, layers))}`}
<h3>Checks</h3>
${tableHtml(checkTable(model, `${id}-checks`, results, layers))}</section>
`;
}

export const sectionId = (report: DiffReport, index: number): string =>
  `model-${index + 1}-${slug(modelOf(report))}`;
