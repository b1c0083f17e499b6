import fc from 'fast-check';
import { XMLParser, XMLValidator } from 'fast-xml-parser';
import { expect, test } from 'vitest';
import { element, escapeXml } from './xml.ts';

const parser = new XMLParser({
  ignoreAttributes: false,
  attributeNamePrefix: '',
  parseTagValue: false,
  parseAttributeValue: false,
  trimValues: false,
  processEntities: true,
  htmlEntities: true,
});

test('a parser reads text and attributes back as they were, line ends and all', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', minLength: 1 }), (words) => {
      const xml = element('a', { b: words }, escapeXml(words));
      expect(XMLValidator.validate(xml)).toBe(true);
      expect(parser.parse(xml)).toEqual({ a: { b: words, '#text': words } });
    }),
  );
});

test('what XML cannot hold is replaced, never written', () => {
  expect(escapeXml('a\u0000b\u001bc\u0085d\ud800e\uffff')).toBe(
    'a\ufffdb\ufffdc\ufffdd\ufffde\ufffd',
  );
  expect(escapeXml('tab\tline\nreturn\r')).toBe('tab&#9;line&#10;return&#13;');
  expect(escapeXml('😀 é')).toBe('😀 é');
});

test('attributes that are undefined are left out, numbers have two decimals', () => {
  expect(element('a', { b: undefined, c: 1 / 3, d: 'x' })).toBe('<a c="0.33" d="x"/>');
});
