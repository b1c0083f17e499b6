/** All chunks in one array. */
export function concatBytes(chunks: Iterable<Uint8Array>): Uint8Array<ArrayBuffer> {
  const list = [...chunks];
  const out = new Uint8Array(list.reduce((n, c) => n + c.byteLength, 0));
  let at = 0;
  for (const chunk of list) {
    out.set(chunk, at);
    at += chunk.byteLength;
  }
  return out;
}
