// Pieces of a sum on their way: values, in 16 bits if asked for, and the weight of the members that are in them.
import type { DType } from '@shoal/core'
import { NDArray } from '@shoal/core'
import { ProtocolError } from '../errors.ts'
import { chunkBytes } from '../frame/limits.ts'
import type { Message } from '../transport/contract.ts'
import type { Arena } from './arena.ts'
import type { SumArray } from './arithmetic.ts'
import { addTo, narrowed, roomFor, widen, widenRoom } from './arithmetic.ts'
import type { Channel } from './exchange.ts'
import type { Range } from './topology.ts'

/** What is done with a sum when it is complete; `total` is the weight of all members. */
export type Finish = (values: SumArray, total: number) => void

/** How many elements travel in one message: one chunk of a connection. */
export const pieceLength = ({ data, wire }: Arena): number => chunkBytes / (wire ? 2 : data.BYTES_PER_ELEMENT)

/** Elements of an arena, as a message; they are not copied, unless they are rounded. */
export function sumMessage({ data, dtype, wire }: Arena, { start, end }: Range, weight: number): Message {
  const values = data.subarray(start, end)
  const head = new Uint8Array(8)
  new DataView(head.buffer).setFloat64(0, weight, true)
  const tensor = wire
    ? narrowed(values as Float32Array, wire)
    : new NDArray<DType>(dtype, [values.length], values)
  return { head, tensors: [tensor] }
}

/** Adds a message to elements of an arena. Answers its weight. @throws ProtocolError. */
export function addMessage(
  { data, dtype, wire }: Arena,
  { start, end }: Range,
  { head, tensors }: Message,
): number {
  const [tensor] = tensors
  if (tensor?.dtype !== (wire ?? dtype) || tensor.size !== end - start || head.length !== 8)
    throw new ProtocolError(`${end - start} elements of ${wire ?? dtype} were asked for, and others came`)
  const values = wire ? widen(tensor.data as Uint16Array, wire) : (tensor.data as SumArray)
  addTo(data.subarray(start, end), values)
  return new DataView(head.buffer, head.byteOffset).getFloat64(0, true)
}

/** Takes complete elements straight into an arena. @throws ProtocolError. */
export async function takeInto(
  { data, dtype, wire }: Arena,
  { start, end }: Range,
  { rank, tag }: { readonly rank: number; readonly tag: string },
  channel: Channel,
): Promise<void> {
  const values = data.subarray(start, end)
  const room = wire
    ? roomFor(values as Float32Array)
    : new Uint8Array(values.buffer, values.byteOffset, values.byteLength)
  await channel.take(rank, tag, (came, [length]) => {
    if (came !== (wire ?? dtype) || length !== end - start)
      throw new ProtocolError(`${end - start} elements of ${wire ?? dtype} were asked for, and others came`)
    return room
  })
  if (wire) widenRoom(values as Float32Array, wire)
}
