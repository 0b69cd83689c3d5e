// The order in which a Program's kernels run on threads: each as soon as what it depends on has run, so that those that do not depend on each other run side by side.

/** A launch as the tasks that it consists of, each after the one before, and the memory that they use. */
export interface Bound<Task> {
  readonly tasks: readonly Task[]
  /** Addresses that are read and those that are written. Blocks of memory are the same or apart, and so known by their addresses. */
  readonly reads: readonly number[]
  readonly writes: readonly number[]
}

/**
 * The tasks in levels: those of one level do not depend on each other, only on levels before. Reads of a block stay between the same writes.
 */
export function levelsOf<Task>(launches: readonly Bound<Task>[]): Task[][] {
  const levels: Task[][] = []
  /** For each address the level from which on it may be read, and written. */
  const readable = new Map<number, number>()
  const writable = new Map<number, number>()
  for (const { tasks, reads, writes } of launches) {
    const first = Math.max(
      0,
      ...reads.map((address) => readable.get(address) ?? 0),
      ...writes.map((address) => writable.get(address) ?? 0),
    )
    tasks.forEach((task, i) => (levels[first + i] ??= []).push(task))
    const behind = first + tasks.length
    for (const address of [...reads, ...writes])
      writable.set(address, Math.max(writable.get(address) ?? 0, behind))
    for (const address of writes) readable.set(address, behind)
  }
  return levels
}
