/** This package's version, as package.json says it: a page has no package.json to read. */
export const packageVersion = '0.1.0';
