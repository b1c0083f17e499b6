import type { Reply } from './crossing/messages.ts';

/** The other end of a conversation: a thread (a `Worker` is one as it stands), or a process. */
export interface FarSide {
  postMessage(message: unknown, transfer?: readonly ArrayBuffer[]): void;
  on(event: 'message', listener: (reply: Reply) => void): unknown;
  /** What killed it, or made its answer unreadable; `exit` follows. */
  on(event: 'error' | 'messageerror', listener: (error: Error) => void): unknown;
  on(event: 'exit', listener: (code: number) => void): unknown;
  /** Whether it keeps this process alive. */
  ref(): void;
  unref(): void;
  terminate(): Promise<unknown>;
}
