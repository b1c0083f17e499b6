/* Markup that a parser reads back as it was meant, whatever the words in it are. */

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  '\t': '&#9;',
  '\n': '&#10;',
  '\r': '&#13;',
};

const special = /[&<>"\t\n\r]/g;
/** What XML 1.0 cannot hold even escaped (section 2.2), and the C1 controls that it advises against. */
const forbidden = /(?![\t\n\r])[\p{Control}\p{Surrogate}\ufffe\uffff]/gu;

/** Text as it may stand between tags and in attributes of XML and HTML; what these cannot hold becomes U+FFFD. */
export const escapeXml = (text: string): string =>
  text.replace(forbidden, '\ufffd').replace(special, (character) => entities[character]);

export type Attributes = Readonly<Record<string, string | number | undefined>>;

/** Two decimals: as a coordinate, a hundredth of a pixel. */
export const coordinate = (x: number): string => String(Number(x.toFixed(2)));

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
