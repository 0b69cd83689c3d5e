// A sum in a ring: each of n members completes an n-th of it, and hands it round. Every member sends 2 (n − 1) / n of the bytes, the least there can be.
import type { Arena } from './arena.ts'
import type { Channel } from './exchange.ts'
import type { Finish } from './sum.ts'
import { addMessage, pieceLength, sumMessage, takeInto } from './sum.ts'
import type { Range } from './topology.ts'
import { before, pieces, split } from './topology.ts'

/** So many pieces are awaited at a time: one is added while others come and go. */
const window = 8

/**
 * Replaces the elements of an arena by their sum over all members. Member r completes segment r + 1.
 * (Patarasu and Yuan, Bandwidth optimal all-reduce algorithms for clusters of workstations, 2009.)
 * @param weight of this member.
 */
export async function ringSum(arena: Arena, weight: number, finish: Finish, channel: Channel): Promise<void> {
  const { rank, size } = channel
  const { data, dtype } = arena
  const from = before(rank, size)
  const segments = split({ start: 0, end: data.length }, size).map((s) => pieces(s, pieceLength(arena)))
  const tag = (phase: 'sum' | 'all', segment: number, piece: number): string =>
    `${dtype} ${phase} ${segment}.${piece}`
  const offer = (phase: 'sum' | 'all', segment: number, piece: number, range: Range, of: number): void =>
    channel.offer(tag(phase, segment, piece), sumMessage(arena, range, of))
  const complete = (segment: number, piece: number, range: Range, total: number): void => {
    finish(data.subarray(range.start, range.end), total)
    offer('all', segment, piece, range, total)
  }
  const own = (rank + 1) % size
  segments[rank]!.forEach((range, piece) =>
    size === 1 ? complete(rank, piece, range, weight) : offer('sum', rank, piece, range, weight),
  )
  // Every piece that a member awaits comes of one that the member before it awaits earlier: no window is too small.
  const steps = Array.from({ length: size - 1 }, (_, step) => step)
  const sums = steps.flatMap((step) => {
    const segment = (rank - 1 - step + 2 * size) % size
    return segments[segment]!.map((range, piece) => async () => {
      const total = addMessage(arena, range, await channel.take(from, tag('sum', segment, piece))) + weight
      if (segment === own) complete(segment, piece, range, total)
      else offer('sum', segment, piece, range, total)
    })
  })
  const results = steps.flatMap((step) => {
    const segment = (rank - step + size) % size
    return segments[segment]!.map((range, piece) => async () => {
      await takeInto(arena, range, { rank: from, tag: tag('all', segment, piece) }, channel)
      offer('all', segment, piece, range, 0)
    })
  })
  await inWindow([...sums, ...results], window)
}

/** Does all in order, at most `width` at a time. */
async function inWindow(work: readonly (() => Promise<void>)[], width: number): Promise<void> {
  const rest = work.values()
  const lane = async (): Promise<void> => {
    for (const act of rest) await act()
  }
  await Promise.all(Array.from({ length: Math.min(width, work.length) }, lane))
}
