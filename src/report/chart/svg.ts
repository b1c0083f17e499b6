import { type Attributes, element, escapeXml } from '../xml.ts';

/* The few words of SVG that the pictures are written in. */

export const text = (x: number, y: number, words: string, attributes: Attributes = {}): string =>
  element('text', { x, y, ...attributes }, escapeXml(words));

/** Room that words take: a little more than they do in the usual sans serif faces. */
export const textWidth = (words: string, fontSize: number): number =>
  0.58 * fontSize * words.length;
