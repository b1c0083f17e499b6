/** What there is to do without a download. */
export const withoutDownload =
  'give --data-path DIR with the unpacked data set, or take --dataset synthetic';

/** What there is to do about a server that has not what is wanted. */
export const anotherMirror = `name another mirror with SWA_ALIGN_DATA_URL, ${withoutDownload}`;
