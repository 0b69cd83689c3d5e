// Whole messages handed round a ring, or down a tree: what is gathered of all members, and what one member gives to all.
import { allocate, NDArray, sizeOf, ValueError } from '@shoal/core'
import type { Into, Message } from '../transport/contract.ts'
import type { Channel, PartPlan } from './exchange.ts'
import { before, parentOf } from './topology.ts'

/** Memory of its own for each tensor that comes, since others may change theirs. */
const ownMemory: Into = (dtype, shape) => new NDArray(dtype, shape, allocate(dtype, sizeOf(shape))).bytes

/** An array in memory of its own. */
export const copied = (array: NDArray): NDArray => new NDArray(array.dtype, array.shape, array.data.slice())

/** The messages of all members, by rank; `own` is laid out as it is. */
export async function ringGather(
  own: Message,
  { rank, size, offer, take }: Channel,
): Promise<readonly Message[]> {
  const messages: Message[] = []
  const from = before(rank, size)
  messages[rank] = own
  offer(`of ${rank}`, own)
  const others = Array.from({ length: size - 1 }, (_, step) => (from - step + size) % size)
  await Promise.all(
    others.map(async (origin) => {
      const message = await take(from, `of ${origin}`, ownMemory)
      messages[origin] = message
      offer(`of ${origin}`, message)
    }),
  )
  return messages
}

/** Gives every member the arrays of all. */
export function gatherAll(arrays: readonly NDArray[]): PartPlan<readonly (readonly NDArray[])[]> {
  const own = { head: new Uint8Array(0), tensors: arrays.map(copied) }
  return {
    signature: 'gather',
    work: async (channel) => {
      const messages = await ringGather(own, channel)
      // What others read stays as it is, whatever becomes of the result.
      return messages.map(({ tensors }, rank) => (rank === channel.rank ? tensors.map(copied) : tensors))
    },
  }
}

/**
 * Gives every member the arrays of one, tensor by tensor down a tree.
 * @throws ValueError for a root that is no rank.
 */
export function broadcastFrom(
  arrays: readonly NDArray[],
  root: number,
  size: number,
): PartPlan<readonly NDArray[]> {
  if (!Number.isInteger(root) || root < 0 || root >= size)
    throw new ValueError(`broadcast: root must be a rank below ${size}, got ${root}`)
  return {
    signature: `broadcast from ${root}`,
    async work({ rank, offer, take }) {
      const place = (rank - root + size) % size
      if (place === 0) {
        const own = arrays.map(copied)
        offer('count', { head: countHead(own.length), tensors: [] })
        own.forEach((array, i) => offer(`${i}`, { head: new Uint8Array(0), tensors: [array] }))
        return arrays.map(copied)
      }
      const from = (parentOf(place) + root) % size
      const counted = await take(from, 'count')
      offer('count', counted)
      const count = new DataView(counted.head.buffer, counted.head.byteOffset).getUint32(0, true)
      return Promise.all(
        Array.from({ length: count }, async (_, i) => {
          const message = await take(from, `${i}`, ownMemory)
          offer(`${i}`, message)
          return message.tensors[0]!
        }),
      )
    },
  }
}

function countHead(count: number): Uint8Array {
  const head = new Uint8Array(4)
  new DataView(head.buffer).setUint32(0, count, true)
  return head
}
