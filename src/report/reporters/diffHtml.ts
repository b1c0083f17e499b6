import { plainSha256 } from '../../io/sha256/plainSha256.ts';
import {
  allPassed,
  calledAs,
  type DiffReport,
  failuresOf,
  modelOf,
  type RunFacts,
} from '../diffReport.ts';
import { measuresPyTorch } from '../page/checkTable.ts';
import { html, trusted } from '../page/html.ts';
import { modelSection, sectionId } from '../page/modelSection.ts';
import {
  failuresSection,
  notJudgedSection,
  overridesSection,
  provenanceSection,
  roundingSection,
  summarySection,
} from '../page/overview.ts';
import { pageScript } from '../page/script.ts';
import { pageStyle } from '../page/style.ts';
import { headline } from './diffMarkdown.ts';

const source = (text: string): string =>
  `'sha256-${btoa(String.fromCharCode(...plainSha256(new TextEncoder().encode(text))))}'`;

/** Nothing is fetched, and no script or style runs but the ones written here, whatever a name in a report holds. */
const policy = `default-src 'none'; script-src ${source(pageScript)}; style-src ${source(pageStyle)}; base-uri 'none'; form-action 'none'`;

/** A run as one page that needs nothing beside it: it reads without scripts, and sorts and filters with them. */
export function diffHtml(reports: readonly DiffReport[], facts: RunFacts): string {
  const failures = reports.flatMap(failuresOf);
  const good = allPassed(reports);
  const checked = reports
    .flatMap((r) => r.results)
    .reduce((sum, { verdicts }) => sum + verdicts.length, 0);
  const toTruth = reports.flatMap(({ results }) => results).some(measuresPyTorch);
  const title = `${calledAs(facts)}: ${headline(reports)}`;
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title}</title>
<style>${trusted(pageStyle)}</style>
</head>
<body>
<header>
<h1><span class="mark ${good ? 'passed' : 'failed'}" aria-hidden="true">${good ? '✓' : '✗'}</span> ${title}</h1>
<p class="quiet">${checked} tensors, losses and digests held against ${[...new Set(reports.map((r) => r.provenance.theirs))].join(' and ')}.</p>
<nav aria-label="Sections"><ul>
${failures.length > 0 && html`<li><a href="#failures">Failures</a></li>`}
<li><a href="#summary">Summary</a></li>
${reports.map((report, i) => html`<li><a href="#${sectionId(report, i)}">${modelOf(report)}</a></li>`)}
<li><a href="#provenance">Where the numbers come from</a></li>
</ul></nav>
</header>
<main>
${failuresSection(reports, failures)}${summarySection(reports)}${notJudgedSection(reports)}${roundingSection(reports)}${overridesSection(reports)}${reports.map(modelSection)}${provenanceSection(reports, facts)}</main>
<footer><p>Written by swa-align.${toTruth && ' “To the bit” is by SHA-256; errors are measured against PyTorch in float64, with PyTorch’s own float32 error beside them.'}</p></footer>
<script>${trusted(pageScript)}</script>
</body>
</html>
`;
  return page.markup;
}
