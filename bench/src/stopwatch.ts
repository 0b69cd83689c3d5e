// Time as a process has it on a machine that it shares: what the system gave to others meanwhile does not count.

/** How often the system took the processor from this process. */
export const interruptions = (): number => process.resourceUsage().involuntaryContextSwitches

/**
 * Starts; the answer tells the milliseconds since then. Without interruptions these are the clock's. After one they are the processor time of
 * the process, all its threads together, if that is less.
 */
export function stopwatch(): () => number {
  const before = interruptions()
  const processor = process.cpuUsage()
  const start = performance.now()
  return () => {
    const ms = performance.now() - start
    if (interruptions() === before) return ms
    const { user, system } = process.cpuUsage(processor)
    return Math.min(ms, (user + system) / 1000)
  }
}
