import { type ChildProcess, fork } from 'node:child_process';
import { EventEmitter } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { BackendOptions } from '../../registry.ts';
import { builtModule } from '../builtModule.ts';
import type { BackendCall } from '../crossing/messages.ts';
import type { FarSide } from '../farSide.ts';
import { complaints, loaderSpeaks, openedMark } from './processNotes.ts';

export interface BackendProcess extends FarSide {
  readonly pid: number | undefined;
  /** What libraries wrote to standard error until the backend was open, or had failed, or died. */
  readonly notes: Promise<readonly string[]>;
}

/** Lines of standard error that are kept for a last word. */
const keptLines = 200;

/** The built module, or the source behind the loader. */
function entry(): { readonly path: string; readonly execArgv: readonly string[] } {
  const built = builtModule('./process/processEntry');
  if (built !== undefined) return { path: fileURLToPath(built), execArgv: [] };
  const source = fileURLToPath(new URL('./processEntry.ts', import.meta.url));
  return { path: source, execArgv: ['--import', import.meta.resolve('tsx')] };
}

/**
 * Starts the process that backend `name` will live in: for one whose library ends its process when
 * something goes wrong, or writes to standard error. Messages are copied through a pipe, some milliseconds
 * for a batch.
 */
export function startProcess(name: string, options: BackendOptions): BackendProcess {
  const { path, execArgv } = entry();
  const call: BackendCall = { name, options };
  const child = fork(path, [JSON.stringify(call)], {
    serialization: 'advanced',
    execArgv: [...execArgv],
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    env: { ...process.env, ...loaderSpeaks },
  });
  const lines: string[] = [];
  const notes = new Promise<readonly string[]>((resolve) => {
    const reader = createInterface({ input: child.stderr! });
    reader.on('line', (line) => {
      if (line === openedMark) resolve([...lines]);
      lines.push(line);
      if (lines.length > keptLines) lines.shift();
    });
    reader.once('close', () => resolve([...lines]));
  });
  return farSideOf(child, notes, () => complaints(lines).at(-1));
}

function farSideOf(
  child: ChildProcess,
  notes: BackendProcess['notes'],
  lastWord: () => string | undefined,
): BackendProcess {
  const events = new EventEmitter();
  const say = (...parts: (string | undefined)[]): void => {
    events.emit('error', new Error(parts.filter((part) => part !== undefined).join(': ')));
  };
  // A listener of one's own, or an unwatched error would end this process.
  events.on('error', () => {});
  child.on('message', (reply) => events.emit('message', reply));
  child.on('error', (error) => say(error.message));
  // In the middle of a native call it would not hear that nobody is there any more.
  const end = (): void => {
    child.kill('SIGKILL');
  };
  process.on('exit', end);
  // 'close' rather than 'exit': by then its last words have been read.
  child.once('close', (code, signal) => {
    process.off('exit', end);
    if (signal !== null) say(signal, lastWord());
    else if (code !== 0) say(`exit code ${code}`, lastWord());
    events.emit('exit', code ?? 1);
  });
  // The pipe for standard error is a socket: like the channel it would keep this process.
  const { stderr } = child as unknown as { readonly stderr: { ref(): void; unref(): void } };
  const handles = [child, child.channel, stderr];
  return {
    pid: child.pid,
    notes,
    postMessage: (message) => {
      child.send(message as object, () => {});
    },
    on: (event: string, listener: (...args: never[]) => void) =>
      events.on(event, listener as (...args: unknown[]) => void),
    ref: () => {
      for (const handle of handles) handle?.ref();
    },
    unref: () => {
      for (const handle of handles) handle?.unref();
    },
    terminate: () =>
      new Promise((resolve) => {
        if (child.exitCode !== null || child.signalCode !== null) return resolve(undefined);
        for (const handle of handles) handle?.ref();
        events.once('exit', resolve);
        child.kill('SIGKILL');
      }),
  };
}
