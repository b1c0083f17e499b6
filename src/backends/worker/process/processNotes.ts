/**
 * What the libraries in a backend's process write to its standard error: the Vulkan loader names the device that
 * is opened, and the last lines tell why a process died.
 */

/** The line by which the process says that its backend is open, or has failed to be. */
export const openedMark = 'swa-align: backend opened';

/** Has the Vulkan loader name drivers and devices. */
export const loaderSpeaks = { VK_LOADER_DEBUG: 'error,warn,driver' } as const;

/** The device that the Vulkan loader says it has opened; undefined where it says nothing. */
export const vulkanDevice = (lines: readonly string[]): string | undefined =>
  lines.map((line) => /\bUsing "(.+?)\s*" with driver: /.exec(line)?.[1]).find((name) => name);

/** The lines that speak of trouble. */
export const complaints = (lines: readonly string[]): readonly string[] =>
  lines
    .filter((line) => /\b(error|warning|failed|terminate|what\(\)|lost)\b/i.test(line))
    .map((line) => line.replace(/^\s*(\[Vulkan Loader\] )?[A-Z| ]+:\s*/i, '').trim())
    .filter((line) => line !== '');
