import { openInProcess } from '../registry.ts';
import { sendable } from './crossing/errorCrossing.ts';
import type { BackendCall, CallName, Calls, Reply, Request } from './crossing/messages.ts';
import { buffersOf } from './crossing/tensorCrossing.ts';
import { hostOf } from './host.ts';

/** Sends a reply; the memory of `transfer` may go along. */
export type Send = (reply: Reply, transfer?: readonly ArrayBuffer[]) => void;

/** What a backend's thread or process does with its requests. */
export interface Service {
  /** Settles when the backend is open, or has failed to be. */
  readonly opened: Promise<unknown>;
  /** Answers a request, or sends its error back. Never rejects. */
  answer(request: Request): Promise<void>;
}

/** Opens a backend here and serves it. `shares`: memory can be seen from both sides. */
export function serviceOf(
  { name, options }: BackendCall,
  send: Send,
  { shares }: { readonly shares: boolean },
): Service {
  const opening = openInProcess(name, options);
  const host = hostOf(opening, shares);
  const carryOut = <K extends CallName>(call: K, ask: Calls[K]['ask']) => host[call](ask);
  return {
    // Whoever asks first is told of a failure.
    opened: opening.catch(() => {}),
    async answer({ id, call, ask }) {
      try {
        const { answer, tensors } = await carryOut(call, ask);
        send({ id, answer }, tensors && buffersOf(tensors));
      } catch (error) {
        send({ id, error: sendable(error) });
      }
    },
  };
}
