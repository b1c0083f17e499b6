import { existsSync } from 'node:fs';

/** A Chromium of this machine, or undefined: the tests of pages are skipped then. */
export const chromiumPath = [
  process.env.CHROMIUM ?? '',
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
].find((path) => path !== '' && existsSync(path));
