// Measured times: what the traces of runs say about how long each node takes on each device.
import type { TraceEvent } from '@shoal/core'

/** Seconds by node name, for each device by its whole name. */
export type MeasuredTimes = ReadonlyMap<string, ReadonlyMap<string, number>>

/**
 * The mean time of every node on every device, over the runs that it was in; of a node that a loop runs several times, the time of all rounds.
 * Trace with `fusion: false`: what ran inside another kernel is in no trace, and the time of that kernel counts as that of the node that names it.
 * @param runs the events of one run each, as `onTrace` of `session.run` is given them.
 */
export function measuredTimes(runs: readonly (readonly TraceEvent[])[]): MeasuredTimes {
  const sums = new Map<string, Map<string, { seconds: number; readonly runs: Set<number> }>>()
  runs.forEach((events, run) => {
    for (const { device, node, durationMs } of events) {
      const nodes = sums.get(device) ?? new Map<string, { seconds: number; readonly runs: Set<number> }>()
      const sum = nodes.get(node) ?? { seconds: 0, runs: new Set<number>() }
      sum.seconds += durationMs / 1000
      sum.runs.add(run)
      sums.set(device, nodes.set(node, sum))
    }
  })
  const mean = (nodes: ReadonlyMap<string, { readonly seconds: number; readonly runs: Set<number> }>) =>
    new Map([...nodes].map(([node, sum]) => [node, sum.seconds / sum.runs.size]))
  return new Map([...sums].map(([device, nodes]) => [device, mean(nodes)]))
}
