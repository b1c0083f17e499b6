/** What a download tells whoever watches it. */
export type DownloadEvent =
  /** A part of the cache cannot be used, and is made anew. */
  | { readonly kind: 'damaged'; readonly what: string }
  /** Another process is at the same download; this one goes on when that is done. */
  | { readonly kind: 'waiting'; readonly lock: string }
  | { readonly kind: 'connecting'; readonly url: string }
  /** The server answers; `from` bytes were here already. */
  | {
      readonly kind: 'begun';
      readonly url: string;
      readonly from: number;
      readonly total: number | undefined;
    }
  | {
      readonly kind: 'progress';
      readonly received: number;
      readonly total: number | undefined;
    }
  | {
      readonly kind: 'broken';
      readonly why: string;
      readonly received: number;
      readonly seconds: number;
    }
  | { readonly kind: 'unpacking'; readonly file: string }
  | { readonly kind: 'installed'; readonly folder: string };

export type Report = (event: DownloadEvent) => void;

/** 45187072 → "43.1 MiB" */
export const mebibytes = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(1)} MiB`;

/** "43.1 of 162.2 MiB" */
export const amount = (received: number, total: number | undefined): string =>
  total === undefined
    ? mebibytes(received)
    : `${(received / 2 ** 20).toFixed(1)} of ${mebibytes(total)}`;
