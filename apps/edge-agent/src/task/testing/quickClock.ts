// A clock for tests whose work takes real time and whose waits should not: fifty of its milliseconds are one.
import type { TaskMeans } from '../taskContext.ts'

const haste = 50

/** Time goes fast, and chance is none. */
export const quickMeans: TaskMeans = {
  clock: {
    now: () => haste * performance.now(),
    after(ms, action) {
      const timer = setTimeout(action, ms / haste)
      return () => clearTimeout(timer)
    },
  },
  random: () => 0.5,
}
