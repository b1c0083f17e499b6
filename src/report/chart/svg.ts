/* The few words of SVG that the pictures are written in. */

/** A coordinate: two decimals are a hundredth of a pixel. */
export const coordinate = (x: number): string => String(Number(x.toFixed(2)));

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
};

/** Text as it may stand between tags and in attributes; characters that XML cannot hold are left out. */
export const escapeXml = (text: string): string =>
  [...text]
    .filter((character) => character >= ' ' && !/[\ufffe\uffff]/.test(character))
    .map((character) => entities[character] ?? character)
    .join('');

export type Attributes = Readonly<Record<string, string | number | undefined>>;

/** An element; numbers are written as coordinates, and attributes that are undefined are left out. */
export function element(name: string, attributes: Attributes, content?: string): string {
  const written = Object.entries(attributes).flatMap(([key, value]) => {
    if (value === undefined) return [];
    const text = typeof value === 'number' ? coordinate(value) : escapeXml(value);
    return [` ${key}="${text}"`];
  });
  const head = `<${name}${written.join('')}`;
  return content === undefined ? `${head}/>` : `${head}>${content}</${name}>`;
}

export const text = (x: number, y: number, words: string, attributes: Attributes = {}): string =>
  element('text', { x, y, ...attributes }, escapeXml(words));

/** Room that words take: a little more than they do in the usual sans serif faces. */
export const textWidth = (words: string, fontSize: number): number =>
  0.58 * fontSize * words.length;
