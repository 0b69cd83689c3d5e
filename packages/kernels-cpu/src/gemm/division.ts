// How a product is divided: into units as long as suits one thread, and shorter ones where several threads are to share them.

/** Multiply-adds of a unit that is worth handing to another thread: some 5 µs. */
const leastWork = 2 ** 17

/** Multiply-adds that take as long as to fetch an element from beyond the first caches. */
const fetchWork = 4

/** What a product takes, in multiply-adds: those of few rows wait for B. */
export const productWork = (m: number, n: number, k: number): number => n * k * Math.max(m, fetchWork)

/**
 * How many units a product is worth dividing into.
 * @param work what all of it takes, in multiply-adds.
 * @param each units for each thread: as they begin at different times and run at different speeds, one each would make most of them wait.
 */
export const unitsFor = (threads: number, work: number, each = 4): number =>
  threads === 1 ? 1 : Math.max(1, Math.min(each * threads, Math.floor(work / leastWork)))

/**
 * The length of units, of which there are at least `count` where `length` allows it.
 * @param most what suits one thread: no unit is longer.
 * @param step units are multiples of it, unless `most` is shorter.
 */
export const unitLength = (length: number, count: number, most: number, step: number): number =>
  Math.min(most, Math.max(step, Math.ceil(length / count / step) * step))
