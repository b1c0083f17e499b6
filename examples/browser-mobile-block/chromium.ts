import { existsSync } from 'node:fs';
import { chromium } from 'playwright';

/** Where playwright puts the one that it fetches; '' on systems that it has none for. */
function fetchedPath(): string {
  try {
    return chromium.executablePath();
  } catch {
    return '';
  }
}

/** A Chromium of this machine: CHROMIUM, the system's, or the one that `npx playwright install chromium` fetched. */
export const chromiumPath = [
  process.env.CHROMIUM ?? '',
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  fetchedPath(),
].find((path) => path !== '' && existsSync(path));

/** How the tests start it: with the GPU in software that it brings, whatever the machine has and says of its drivers. */
export const launchOptions = {
  executablePath: chromiumPath ?? '',
  args: ['--no-sandbox', '--use-angle=swiftshader', '--enable-unsafe-swiftshader'],
  env: Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !name.startsWith('VK_')),
  ) as Record<string, string>,
};
