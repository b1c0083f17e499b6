import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { cacheDirectory, type Surroundings } from './cacheDirectory.ts';

const home = resolve('/home/me');
const at = (platform: NodeJS.Platform, env: Surroundings['env']): string =>
  cacheDirectory({ env, platform, home });

test('the platform’s place for caches', () => {
  expect(at('linux', {})).toBe(join(home, '.cache', 'swa-align'));
  expect(at('linux', { XDG_CACHE_HOME: resolve('/var/me') })).toBe(resolve('/var/me/swa-align'));
  expect(at('linux', { XDG_CACHE_HOME: 'not/absolute' })).toBe(join(home, '.cache', 'swa-align'));
  expect(at('darwin', {})).toBe(join(home, 'Library', 'Caches', 'swa-align'));
  expect(at('win32', {})).toBe(join(home, 'AppData', 'Local', 'swa-align', 'Cache'));
  expect(at('win32', { LOCALAPPDATA: 'D:\\local' })).toBe(join('D:\\local', 'swa-align', 'Cache'));
});

test('or the one that is named', () => {
  expect(at('linux', { SWA_ALIGN_CACHE: 'here', XDG_CACHE_HOME: resolve('/var') })).toBe(
    resolve('here'),
  );
  expect(at('darwin', { SWA_ALIGN_CACHE: '' })).toBe(join(home, 'Library', 'Caches', 'swa-align'));
});
