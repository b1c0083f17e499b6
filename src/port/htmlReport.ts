import type { ProbeReference } from '../align/reference/probeReference.ts';
import { portReport } from '../report/portReport.ts';
import { diffHtml } from '../report/reporters/diffHtml.ts';
import { packageVersion } from '../version.ts';
import type { Verdicts } from './judgePort.ts';

export interface HtmlReportOptions {
  /** What was judged, for people: `mobile block in TensorFlow.js`. */
  readonly ours?: string;
  /** The programs that computed it, and their versions. */
  readonly versions?: Readonly<Record<string, string>>;
}

/**
 * What `judge` said as a whole HTML page, the one `swa-align judge --reporter html=FILE` writes. It needs nothing
 * beside it: save it, or show it in an <iframe>.
 */
export function htmlReport(
  verdicts: Verdicts,
  reference: ProbeReference,
  { ours = 'a port', versions = { 'swa-align': packageVersion } }: HtmlReportOptions = {},
): string {
  const { where, manifest } = reference;
  const report = portReport(reference, verdicts, {
    ours,
    versions,
    hashes: { [`${where}/${manifest.tensors.file}`]: manifest.tensors.sha256 },
    seconds: verdicts.seconds,
  });
  return diffHtml([report], { time: new Date() });
}
