// Tensors put where the receiver wants them.
import type { DType, NDArray } from '@shoal/core'
import { dtypes, fromBytes, ValueError } from '@shoal/core'
import type { Into } from './contract.ts'

/** Checks the memory that `into` gave. @throws ValueError when it has another size, or lies where its elements cannot be read. */
export function checkRoom(room: Uint8Array, bytes: number, dtype: Exclude<DType, 'string'>): Uint8Array {
  if (room.byteLength !== bytes)
    throw new ValueError(`into gave ${room.byteLength} bytes for a tensor of ${bytes}`)
  if (room.byteOffset % dtypes[dtype].bytes !== 0)
    throw new ValueError(`into gave memory at byte ${room.byteOffset}, which is no place for ${dtype}`)
  return room
}

/** The same tensors, in memory that `into` gives; those that are there already, and strings, stay as they are. @throws ValueError. */
export const placed = (tensors: readonly NDArray[], into: Into | undefined): readonly NDArray[] =>
  into === undefined
    ? tensors
    : tensors.map((tensor, index) => {
        const { dtype, shape } = tensor
        if (dtype === 'string') return tensor
        const { bytes } = tensor
        const room = checkRoom(into(dtype, shape, index), bytes.byteLength, dtype)
        room.set(bytes)
        return fromBytes(dtype, shape, room)
      })
