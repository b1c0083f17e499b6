/**
 * What is wrong with a picture as this package writes it: tags that do not nest, bare markup characters,
 * coordinates that are no numbers. Nothing for a good one.
 */
export function svgProblems(svg: string): string[] {
  const problems: string[] = [];
  const open: string[] = [];
  const tag = /<(\/?)([a-z]+)((?: [a-zA-Z][\w-]*="[^"<>]*")*)(\/?)>/g;
  const text = svg.replace(tag, (_, closing, name, attributes, empty) => {
    if (closing === '/') {
      const last = open.pop();
      if (last !== name) problems.push(`</${name}> closes <${last}>`);
    } else if (empty === '') {
      open.push(name);
    }
    if (/NaN|Infinity|undefined/.test(attributes)) problems.push(`<${name}${attributes}>`);
    const keys = [...attributes.matchAll(/ ([a-zA-Z][\w-]*)=/g)].map(([, key]) => key);
    if (new Set(keys).size !== keys.length) problems.push(`<${name}${attributes}> repeats itself`);
    return '';
  });
  if (open.length > 0) problems.push(`<${open.join('>, <')}> stays open`);
  if (/[<>]/.test(text)) problems.push('a bare < or > remains');
  if (/&(?!amp;|lt;|gt;|quot;|#\d+;)/.test(svg)) problems.push('a bare & remains');
  if (!svg.startsWith('<svg ') || !svg.endsWith('</svg>\n')) problems.push('is not one <svg>');
  return problems;
}
