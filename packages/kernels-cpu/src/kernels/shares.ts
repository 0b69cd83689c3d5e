// How units that need memory of their own while they are computed are shared: by few tasks, each with memory for one unit at a time.

/** Units are shared by so many tasks at most: enough for the threads of a large machine, and few enough that their memory is small. */
const mostTasks = 16

/** Tasks, and how many units one takes; the last may have fewer. */
export interface Shares {
  readonly tasks: number
  readonly share: number
}

/** Shares units among at most `most` tasks. */
export function sharesOf(units: number, most: number = mostTasks): Shares {
  const share = Math.max(1, Math.ceil(units / Math.min(most, mostTasks)))
  return { tasks: Math.ceil(units / share), share }
}
