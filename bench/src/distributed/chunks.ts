// The unit in which memory of transfers is told.

/** The bytes of a chunk, as the protocol says. */
export const chunkBytes = 2 ** 18
