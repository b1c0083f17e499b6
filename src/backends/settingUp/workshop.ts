import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';

/** Where something is made and tried before it takes its place. */
export interface Workshop {
  readonly folder: string;
  /** Removes the folder with all that was left in it. */
  close(): void;
}

const opened = (folder: string): Workshop => ({
  folder,
  close: () => rmSync(folder, { recursive: true, force: true }),
});

export const openWorkshop = (): Workshop => opened(mkdtempSync(join(tmpdir(), 'swa-align-')));

/**
 * A workshop from which a rename reaches `place`. What killed processes left of theirs goes first, so the caller must be
 * the only one that makes this.
 */
export function openWorkshopBeside(place: string): Workshop {
  const [parent, prefix] = [dirname(place), `.${basename(place)}-`];
  mkdirSync(parent, { recursive: true });
  for (const name of readdirSync(parent)) {
    if (name.startsWith(prefix)) rmSync(join(parent, name), { recursive: true, force: true });
  }
  return opened(mkdtempSync(join(parent, prefix)));
}
