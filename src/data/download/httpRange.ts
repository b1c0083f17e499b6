import type { Origin } from './partialFile.ts';

/** What the server says of the version it sends, fit for `If-Range` (RFC 9110, 13.1.5: no weak ETag). */
export function validatorOf(headers: Headers): string | undefined {
  const etag = headers.get('etag');
  if (etag !== null && !etag.startsWith('W/')) return etag;
  return headers.get('last-modified') ?? undefined;
}

const naturalNumber = (text: string | null | undefined): number | undefined =>
  text != null && /^\d{1,15}$/.test(text) ? Number(text) : undefined;

/** The length of what a 200 sends, where the server knows it. */
export const contentLength = (headers: Headers): number | undefined =>
  naturalNumber(headers.get('content-length'));

/** Asks for what follows the bytes that are here, or for everything if the file has changed since. */
export const rangeHeaders = (from: number, { validator }: Origin): Record<string, string> =>
  from > 0 && validator !== undefined ? { range: `bytes=${from}-`, 'if-range': validator } : {};

/** Whether a 206 goes on exactly where the bytes that are here end, in the same version of the file. */
export function continues(headers: Headers, from: number, { validator, total }: Origin): boolean {
  const range = /^bytes (\d{1,15})-\d{1,15}\/(\d{1,15}|\*)$/.exec(
    headers.get('content-range') ?? '',
  );
  if (range === null || Number(range[1]) !== from) return false;
  if (total !== undefined && range[2] !== '*' && Number(range[2]) !== total) return false;
  const now = validatorOf(headers);
  // A 206 may leave Last-Modified out where the request named the ETag, but not contradict it.
  return now === undefined || now === validator;
}
