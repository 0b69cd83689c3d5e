// What there is to schedule: pieces of work that read from each other, the devices and links that may do it, and how urgent each piece is.

/** What an operation reads: an output of an earlier one, or only the news that it is done. */
export interface Reading {
  readonly operation: number
  /** Which of its outputs; -1: none, an order only. */
  readonly output: number
  readonly bytes: number
}

/** One piece of work that runs on one device. */
export interface Operation {
  /** On each device; Infinity where it cannot run. */
  readonly seconds: readonly number[]
  readonly reads: readonly Reading[]
  readonly group: number
}

/** Operations that must be on one device. */
export interface Group {
  /** The devices that may run all of them, best first where nothing else decides. */
  readonly candidates: readonly number[]
  /** Memory that they hold there. */
  readonly bytes: number
}

/** Work, and what it can run on. */
export interface Problem {
  /** What they read stands before them. */
  readonly operations: readonly Operation[]
  readonly groups: readonly Group[]
  /** The memory of each device. */
  readonly maxBytes: readonly number[]
  /** The link between two devices. Equal `channel`s are one link, which carries one thing at a time. */
  link(
    from: number,
    to: number,
  ): { readonly channel: string; readonly latencySeconds: number; readonly secondsPerByte: number }
}

/** How urgent each operation is: the seconds from its start to the end of the step, on the mean device over the mean link. */
export function urgency({ operations, groups, maxBytes, link }: Problem): readonly number[] {
  const devices = maxBytes.map((_, i) => i)
  const pairs = devices.flatMap((from) => devices.filter((to) => to !== from).map((to) => link(from, to)))
  const latency = mean(pairs.map((l) => l.latencySeconds))
  const perByte = mean(pairs.map((l) => l.secondsPerByte))
  const ranks = operations.map(({ seconds, group }) =>
    mean(groups[group]!.candidates.map((device) => seconds[device]!)),
  )
  // An operation is complete when all its readers, which stand after it, have told it how long they take.
  const after = operations.map(() => 0)
  for (let i = operations.length - 1; i >= 0; i--) {
    ranks[i]! += after[i]!
    for (const { operation, bytes } of operations[i]!.reads)
      after[operation] = Math.max(after[operation]!, latency + bytes * perByte + ranks[i]!)
  }
  return ranks
}

const mean = (numbers: readonly number[]): number =>
  numbers.length === 0 ? 0 : numbers.reduce((a, b) => a + b, 0) / numbers.length
