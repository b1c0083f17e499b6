import { homedir } from 'node:os';
import { isAbsolute, join, resolve } from 'node:path';

export interface Surroundings {
  readonly env: { readonly [name: string]: string | undefined };
  readonly platform: NodeJS.Platform;
  readonly home: string;
}

const here = (): Surroundings => ({
  env: process.env,
  platform: process.platform,
  home: homedir(),
});

/**
 * Where downloads of this user are kept: `SWA_ALIGN_CACHE`, else the platform's place for caches (on
 * Linux `XDG_CACHE_HOME`, which counts only when absolute; freedesktop.org, Base Directory Specification).
 */
export function cacheDirectory({ env, platform, home }: Surroundings = here()): string {
  const named = env.SWA_ALIGN_CACHE;
  if (named !== undefined && named !== '') return resolve(named);
  if (platform === 'darwin') return join(home, 'Library', 'Caches', 'swa-align');
  if (platform === 'win32') {
    return join(env.LOCALAPPDATA ?? join(home, 'AppData', 'Local'), 'swa-align', 'Cache');
  }
  const xdg = env.XDG_CACHE_HOME ?? '';
  return join(isAbsolute(xdg) ? xdg : join(home, '.cache'), 'swa-align');
}
