import type { Communicator } from './communicator.ts';

/** Bytes of rank 0 on every rank; the others give nothing. Any length, the same nowhere known before. */
export async function broadcastBytes(comm: Communicator, bytes?: Uint8Array): Promise<Uint8Array> {
  const length = Float64Array.of(bytes?.byteLength ?? 0);
  await comm.broadcast(length);
  const data = comm.rank === 0 && bytes !== undefined ? bytes : new Uint8Array(length[0]);
  await comm.broadcast(data);
  return data;
}

/** A text of each rank, on every rank. */
export async function gatherTexts(comm: Communicator, own: string): Promise<string[]> {
  const bytes = new TextEncoder().encode(own);
  const lengths = (await comm.allgather(Float64Array.of(bytes.length))).map(([n]) => n);
  const padded = new Uint8Array(Math.max(...lengths));
  padded.set(bytes);
  const all = await comm.allgather(padded);
  return all.map((text, rank) => new TextDecoder().decode(text.subarray(0, lengths[rank])));
}
