/**
 * The JavaScript that a thread or a process begins with, where there is any: beside this module once that is built. From
 * sources there is none, and a loader compiles them. `path` from here, without its ending.
 */
export const builtModule = (path: string): URL | undefined =>
  import.meta.url.endsWith('.ts') ? undefined : new URL(`${path}.js`, import.meta.url);
