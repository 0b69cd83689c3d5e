// A piece of a blob as it travels: one tensor of bytes.
import { NDArray } from '@shoal/core'
import { ProtocolError } from '@shoal/distributed/peers'
import { pieceBytes } from '../api/blobs.ts'

/** The tensors of a message that carries a piece. */
export const pieceTensors = (piece: Uint8Array): readonly NDArray[] => [
  new NDArray('uint8', [piece.length], piece),
]

/** The piece that a message carries. @throws ProtocolError where it carries anything else. */
export function pieceOf(tensors: readonly NDArray[]): Uint8Array {
  const [tensor] = tensors
  if (tensors.length !== 1 || tensor?.dtype !== 'uint8' || tensor.rank !== 1 || tensor.size > pieceBytes)
    throw new ProtocolError(`a piece of a blob is one tensor of at most ${pieceBytes} uint8`)
  return tensor.bytes
}
