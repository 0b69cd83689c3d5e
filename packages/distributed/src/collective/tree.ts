// A sum in a tree: few steps one after the other, for what is too small to be worth many.
import type { Arena } from './arena.ts'
import type { Channel } from './exchange.ts'
import type { Finish } from './sum.ts'
import { addMessage, pieceLength, sumMessage, takeInto } from './sum.ts'
import { childrenOf, parentOf, pieces } from './topology.ts'

/**
 * Replaces the elements of an arena by their sum over all members, which rank 0 completes.
 * @param weight of this member.
 */
export async function treeSum(arena: Arena, weight: number, finish: Finish, channel: Channel): Promise<void> {
  const { rank, size } = channel
  const { data, dtype } = arena
  const below = childrenOf(rank, size)
  const all = pieces({ start: 0, end: data.length }, pieceLength(arena))
  await Promise.all(
    all.map(async (range, piece) => {
      const up = `${dtype} sum ${piece}`
      const down = `${dtype} all ${piece}`
      let total = weight
      // Asked for at once, added in order.
      const parts = below.map((child) => channel.take(child, up))
      for (const message of await Promise.all(parts)) total += addMessage(arena, range, message)
      if (rank === 0) finish(data.subarray(range.start, range.end), total)
      else {
        channel.offer(up, sumMessage(arena, range, total))
        await takeInto(arena, range, { rank: parentOf(rank), tag: down }, channel)
      }
      channel.offer(down, sumMessage(arena, range, total))
    }),
  )
}
