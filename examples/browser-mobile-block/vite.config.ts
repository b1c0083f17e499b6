import { playwright } from '@vitest/browser-playwright';
import { defineConfig, type TestProjectInlineConfiguration } from 'vitest/config';
import { chromiumPath, launchOptions } from './chromium.ts';

/** Runs in Node and opens the page in a browser. */
const page: TestProjectInlineConfiguration = {
  extends: true,
  test: { name: 'page', include: ['page.system.test.ts'] },
};

/** Runs in a page itself. */
const browser: TestProjectInlineConfiguration = {
  extends: true,
  test: {
    name: 'browser',
    include: ['port.browser.ts'],
    // `MISTAKE=swish npm test` fails.
    provide: { mistake: process.env.MISTAKE ?? 'none' },
    browser: {
      enabled: true,
      headless: true,
      screenshotFailures: false,
      provider: playwright({ launchOptions }),
      instances: [{ browser: 'chromium' }],
    },
  },
};

export default defineConfig({
  // In swa-align's own repository tsconfig.json says where the package lies.
  resolve: { tsconfigPaths: true },
  // A GPU in software takes its time.
  test: {
    testTimeout: 120_000,
    hookTimeout: 120_000,
    projects: chromiumPath === undefined ? [page] : [page, browser],
  },
});
