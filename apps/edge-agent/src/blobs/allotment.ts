// How much of a disk blobs may take, and how much is left to everything else.

/** The most bytes of blobs on one node. */
export const mostBlobBytes = 16 * 2 ** 30
/** Bytes of the disk that blobs leave free. */
export const leastFreeBytes = 2 ** 29
