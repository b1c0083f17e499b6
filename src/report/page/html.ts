import { escapeXml } from '../xml.ts';

/** Markup that is safe to stand in a page: written here, or escaped on the way in. */
export interface Html {
  readonly markup: string;
}

type Part = Html | string | number | undefined | false | readonly Part[];

function markupOf(part: Part): string {
  if (part === undefined || part === false) return '';
  if (typeof part === 'string') return escapeXml(part);
  if (typeof part === 'number') return String(part);
  return 'markup' in part ? part.markup : part.map(markupOf).join('');
}

/** A template in which every value is escaped unless it is `Html` itself; lists are joined, undefined and false left out. */
export const html = (strings: TemplateStringsArray, ...parts: readonly Part[]): Html => ({
  markup: strings.reduce((done, string, i) => `${done}${markupOf(parts[i - 1])}${string}`),
});

/** Markup from elsewhere in this package, such as a picture. */
export const trusted = (markup: string): Html => ({ markup });

/** `iter0/features.0.weight.grad` → `iter0-features-0-weight-grad`, to be an `id`. */
export const slug = (text: string): string => text.replace(/[^A-Za-z0-9]+/g, '-');
