// How many lanes a workgroup has for so many states or classes.

/** A power of two: at least 32, since GPUs run about as many at a time anyway, and at most what every GPU has. */
export const lanesFor = (count: number): number =>
  Math.min(256, Math.max(32, 2 ** Math.ceil(Math.log2(Math.max(1, count)))))
