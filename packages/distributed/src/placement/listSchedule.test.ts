import { describe, expect, it } from 'vitest'
import type { Schedule } from './listSchedule.ts'
import { listSchedule } from './listSchedule.ts'
import type { Problem } from './problem.ts'
import { urgency } from './problem.ts'

type Edge = readonly [from: number, to: number, bytes: number]

/** A problem with a group for each operation, and one link each way between two devices that carries `bytesPerSecond`. */
function problem(
  seconds: readonly (readonly number[])[],
  edges: readonly Edge[],
  given: {
    latency?: number
    bytesPerSecond?: number
    maxBytes?: readonly number[]
    bytes?: readonly number[]
  } = {},
): Problem {
  const { latency = 0, bytesPerSecond = 1, maxBytes = seconds[0]!.map(() => Infinity), bytes = [] } = given
  return {
    operations: seconds.map((row, i) => ({
      seconds: row,
      reads: edges
        .filter(([, to]) => to === i)
        .map(([operation, to, size]) => ({ operation, output: to, bytes: size })),
      group: i,
    })),
    groups: seconds.map((row, i) => ({
      candidates: row.flatMap((s, device) => (s < Infinity ? [device] : [])),
      bytes: bytes[i] ?? 0,
    })),
    maxBytes,
    link: (from, to) => ({
      channel: `${from} ${to}`,
      latencySeconds: latency,
      secondsPerByte: 1 / bytesPerSecond,
    }),
  }
}

function solve(given: Problem, preference: Parameters<typeof listSchedule>[2] = 'finish'): Schedule {
  const schedule = listSchedule(given, urgency(given), preference)
  if ('operation' in schedule) throw new Error(`no room for operation ${schedule.operation}`)
  return schedule
}

/** What must hold of any schedule: nothing starts before what it reads is there, and no device and no link does two things at once. */
function check(
  { operations, groups, link }: Problem,
  { device, start, finish, transfers, makespan }: Schedule,
): void {
  operations.forEach(({ seconds, reads, group }, i) => {
    expect(groups[group]!.candidates).toContain(device[i])
    expect(finish[i]).toBe(start[i]! + seconds[device[i]!]!)
    for (const { operation, output } of reads) {
      const sent = transfers.find(
        (t) => t.reading.operation === operation && t.reading.output === output && t.to === device[i],
      )
      expect(start[i]).toBeGreaterThanOrEqual(
        device[operation] === device[i] ? finish[operation]! : sent!.finish,
      )
    }
  })
  for (const { reading, from, start: sent } of transfers) {
    expect(from).toBe(device[reading.operation])
    expect(sent).toBeGreaterThanOrEqual(finish[reading.operation]!)
  }
  const pieces = [
    ...operations.map((_, i) => ({ on: `device ${device[i]}`, from: start[i]!, to: finish[i]! })),
    // Latency keeps nobody else from using the link.
    ...transfers.map((t) => {
      const { channel, latencySeconds } = link(t.from, t.to)
      return { on: channel, from: t.start, to: t.finish - latencySeconds }
    }),
  ]
  for (const list of Map.groupBy(pieces, ({ on }) => on).values()) {
    const inOrder = list.filter((p) => p.to > p.from).toSorted((a, b) => a.from - b.from)
    inOrder.slice(1).forEach((p, i) => expect(p.from).toBeGreaterThan(inOrder[i]!.to - 1e-9))
  }
  expect(makespan).toBe(Math.max(...finish, ...transfers.map((t) => t.finish)))
}

// Figure 2 and table 1 of the paper by Topcuoglu, Hariri and Wu: ten tasks, three processors. All numbers are three times theirs: means of
// three are whole numbers then, and what is equally urgent is so to the last bit.
const paper = problem(
  [
    [14, 16, 9],
    [13, 19, 18],
    [11, 13, 19],
    [13, 8, 17],
    [12, 13, 10],
    [13, 16, 9],
    [7, 15, 11],
    [5, 11, 14],
    [18, 12, 20],
    [21, 7, 16],
  ].map((row) => row.map((seconds) => 3 * seconds)),
  (
    [
      [1, 2, 18],
      [1, 3, 12],
      [1, 4, 9],
      [1, 5, 11],
      [1, 6, 14],
      [2, 8, 19],
      [2, 9, 16],
      [3, 7, 23],
      [4, 8, 27],
      [4, 9, 23],
      [5, 9, 13],
      [6, 8, 15],
      [7, 10, 17],
      [8, 10, 11],
      [9, 10, 13],
    ] as const
  ).map(([from, to, bytes]) => [from - 1, to - 1, 3 * bytes] as const),
)

describe('urgency', () => {
  it('is what the paper has for its example', () => {
    const ranks = [108, 77, 80, 80, 69, 63.333, 42.667, 35.667, 44.333, 14.667]
    urgency(paper).forEach((rank, i) => expect(rank / 3).toBeCloseTo(ranks[i]!, 3))
  })
})

describe('listSchedule', () => {
  it('comes to the schedule of the paper, where links carry any number of things at once', () => {
    let channels = 0
    const boundless: Problem = {
      ...paper,
      link: (from, to) => ({ ...paper.link(from, to), channel: `${channels++}` }),
    }
    const schedule = solve(boundless)
    check(boundless, schedule)
    expect(schedule.makespan).toBe(3 * 80)
    expect(schedule.device.map((d) => d + 1)).toEqual([3, 1, 3, 2, 3, 2, 3, 1, 2, 2])
  })

  it('shares out what is independent, and keeps together what is dear to send', () => {
    const independent = problem(
      [
        [2, 2],
        [2, 2],
        [2, 2],
        [2, 2],
      ],
      [],
    )
    expect(solve(independent).makespan).toBe(4)
    const fork = (bytes: number) =>
      problem(
        [
          [1, 1],
          [4, 4],
          [4, 4],
          [1, 1],
        ],
        [
          [0, 1, bytes],
          [0, 2, bytes],
          [1, 3, bytes],
          [2, 3, bytes],
        ],
      )
    // The branch on the other device waits for its input, and what the first made is there when it ends.
    expect(solve(fork(1))).toMatchObject({ makespan: 1 + 1 + 4 + 1, device: [0, 0, 1, 1] })
    expect(solve(fork(9))).toMatchObject({ makespan: 10, device: [0, 0, 0, 0], transfers: [] })
  })

  it('lets a link carry one thing after the other, and latency run beside', () => {
    const given = problem(
      [
        [1, Infinity],
        [1, Infinity],
        [Infinity, 1],
      ],
      [
        [0, 2, 6],
        [1, 2, 6],
      ],
      { latency: 3, bytesPerSecond: 2 },
    )
    const schedule = solve(given)
    check(given, schedule)
    // Made at 1 and 2, sent from 1 to 4 and from 4 to 7, there 3 later.
    expect(schedule.transfers.map(({ start, finish }) => [start, finish])).toEqual([
      [1, 7],
      [4, 10],
    ])
    expect(schedule.makespan).toBe(11)
  })

  it('sends an output once to a device, however often it is read there', () => {
    const given: Problem = {
      ...problem(
        [
          [1, Infinity],
          [Infinity, 1],
          [Infinity, 1],
        ],
        [],
      ),
      operations: [
        { seconds: [1, Infinity], reads: [], group: 0 },
        { seconds: [Infinity, 1], reads: [{ operation: 0, output: 0, bytes: 5 }], group: 1 },
        { seconds: [Infinity, 1], reads: [{ operation: 0, output: 0, bytes: 5 }], group: 2 },
      ],
    }
    const schedule = solve(given)
    check(given, schedule)
    expect(schedule.transfers).toHaveLength(1)
    expect(schedule.makespan).toBe(8)
  })

  it('puts what costs nothing where it is read', () => {
    const given = problem(
      [
        [0, 0],
        [0, 0],
        [9, 3],
        [3, 9],
      ],
      [
        [0, 2, 50],
        [1, 3, 50],
      ],
    )
    expect(solve(given)).toMatchObject({ device: [1, 0, 1, 0], transfers: [], makespan: 3 })
  })

  it('keeps groups together and within memory', () => {
    const together = problem(
      [
        [4, 4],
        [4, 4],
        [4, 4],
      ],
      [],
    )
    const grouped: Problem = {
      ...together,
      operations: together.operations.map((o, i) => ({ ...o, group: i === 1 ? 1 : 0 })),
      groups: together.groups.slice(0, 2),
    }
    expect(solve(grouped)).toMatchObject({ device: [0, 1, 0], makespan: 8 })
    const tight = problem(
      [
        [1, 9],
        [1, 9],
        [1, 9],
      ],
      [],
      { maxBytes: [10, 25], bytes: [6, 6, 6] },
    )
    expect(solve(tight).device).toEqual([0, 1, 1])
    const full = problem(
      [
        [1, 1],
        [1, 1],
      ],
      [],
      { maxBytes: [5, 5], bytes: [4, 6] },
    )
    expect(listSchedule(full, urgency(full), 'finish')).toEqual({ operation: 1 })
  })

  it('needs memory for what is sent, too', () => {
    const given = problem(
      [
        [1, Infinity],
        [9, 1],
      ],
      [[0, 1, 4]],
      { maxBytes: [100, 3], bytes: [4, 0] },
    )
    expect(solve(given)).toMatchObject({ device: [0, 0], makespan: 10 })
  })

  it('prefers room, or one device, when told to', () => {
    const given = problem(
      [
        [1, 2],
        [1, 2],
        [1, 2],
      ],
      [],
      { maxBytes: [10, 14], bytes: [3, 3, 3] },
    )
    expect(solve(given, 'room').device).toEqual([1, 1, 0])
    expect(solve(given, { device: 1 }).device).toEqual([1, 1, 1])
    const elsewhere = problem(
      [
        [1, 2],
        [1, Infinity],
      ],
      [],
    )
    expect(solve(elsewhere, { device: 1 }).device).toEqual([1, 0])
  })

  it('keeps its promises on any graph, and answers the same again', () => {
    let state = 7
    const random = (below: number): number => (state = (state * 1103515245 + 12345) % 2 ** 31) % below
    for (let round = 0; round < 20; round++) {
      const seconds = Array.from({ length: 14 }, () => [random(5), 1 + random(9), 1 + random(9)])
      const edges = seconds.flatMap((_, to) =>
        Array.from({ length: to }, (_, from): Edge => [from, to, random(12)]).filter(() => random(4) === 0),
      )
      const given = problem(seconds, edges, { latency: random(2), bytesPerSecond: 1 + random(3) })
      const schedule = solve(given)
      check(given, schedule)
      expect(solve(given)).toEqual(schedule)
    }
  })
})
