import { DeviceError } from '../../errors.ts';
import type { Home } from '../registry.ts';
import { received } from './crossing/errorCrossing.ts';
import type { CallName, Calls } from './crossing/messages.ts';
import type { FarSide } from './farSide.ts';

/** The near side of a backend's thread or process. */
export interface BackendThread {
  /** Whether nothing can be asked any more. */
  readonly ended: boolean;
  /**
   * Rejects with what the call threw, or with DeviceError when the other side is, or comes to be, dead. The
   * memory of `transfer` goes along and is gone here.
   */
  call<K extends CallName>(
    call: K,
    ask: Calls[K]['ask'],
    transfer?: readonly ArrayBuffer[],
  ): Promise<Calls[K]['answer']>;
  /** Ends the other side when it has carried out what it was asked. */
  close(): Promise<void>;
}

interface Waiting {
  resolve(answer: unknown): void;
  reject(error: Error): void;
}

/** Talks to what was started. It keeps this process alive only while it owes an answer. */
export function talkTo(far: FarSide, name: string, home: Home): BackendThread {
  const waiting = new Map<number, Waiting>();
  let lastId = 0;
  let broken: Error | undefined;
  let end: DeviceError | undefined;

  const settle = (id: number): Waiting | undefined => {
    const found = waiting.get(id);
    waiting.delete(id);
    if (waiting.size === 0) far.unref();
    return found;
  };
  const breakDown = (error: Error): void => {
    broken ??= error;
  };

  far.on('message', (reply) => {
    const asked = settle(reply.id);
    if ('error' in reply) asked?.reject(received(reply.error));
    else asked?.resolve(reply.answer);
  });
  far.on('error', breakDown);
  far.on('messageerror', (error) => {
    breakDown(error);
    void far.terminate();
  });
  far.on('exit', (code) => {
    const why = broken === undefined ? `with exit code ${code}` : `(${broken.message})`;
    end ??= new DeviceError(`the ${home} that the ${name} backend ran in ended ${why}`, {
      fix: 'start the command again; a training run goes on with --resume',
    });
    for (const id of [...waiting.keys()]) settle(id)?.reject(end);
  });
  far.unref();

  return {
    get ended() {
      return end !== undefined;
    },
    call(call, ask, transfer) {
      return new Promise((resolve, reject) => {
        if (end !== undefined) throw end;
        const id = ++lastId;
        far.postMessage({ id, call, ask }, transfer);
        waiting.set(id, { resolve: resolve as Waiting['resolve'], reject });
        far.ref();
      });
    },
    async close() {
      if (end !== undefined) return;
      // Answers come in order: after this one the thread is idle, and can be ended without harm.
      await this.call('describe', undefined);
      end ??= new DeviceError(`the ${name} backend was closed`);
      await far.terminate();
    },
  };
}
