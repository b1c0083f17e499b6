import { namesAlike } from '../causes.ts';
import { alikeFailures, type DiffReport, failuresOf } from '../diffReport.ts';

/*
 * Workflow commands as GitHub's runner reads them from a step's output: one a line, so that line ends are
 * written as percent escapes; in properties commas and colons too, which would end them.
 */

const escapes: Readonly<Record<string, string>> = {
  '%': '%25',
  '\r': '%0D',
  '\n': '%0A',
  ':': '%3A',
  ',': '%2C',
};

const escaped = (text: string, special: RegExp): string =>
  text.replace(special, (character) => escapes[character]);

const data = (text: string): string => escaped(text, /[%\r\n]/g);
const property = (text: string): string => escaped(text, /[%\r\n:,]/g);

/** An `::error …` line for each failure, one for those of one cause. GitHub shows the first ten of a step: the most telling come first. */
export const githubAnnotations = (reports: readonly DiffReport[]): string[] =>
  alikeFailures(reports.flatMap(failuresOf)).map((alike) => {
    const { model, part, name, why } = alike.first;
    const title = property(`${model} ${part}: ${name}`);
    return `::error title=${title}::${data(`${alike.all.length > 1 ? namesAlike(alike) : name}: ${why}`)}`;
  });
