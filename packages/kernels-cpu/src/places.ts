// Where a launch finds its memory: at an address that is known when its code is written, or at one that moves with the rounds of a loop.
import type { Buffer, Moving } from '@shoal/core'
import { type CpuBuffer, ownBuffer } from './buffer.ts'
import { word } from './control.ts'
import type { Heap } from './memory.ts'
import { i32, type Operand } from './wasm/index.ts'

/** The memory of one argument. */
export interface Place {
  /** The first address of the block: blocks are the same or apart, and so known by it. */
  readonly block: number
  /** Writes the address in the round that is run. */
  address(): Operand<'i32'>
  /** The memory in a round, for functions of the host. */
  at(round: number): CpuBuffer
}

/** Where the round stands in memory, in bytes. */
export const roundAddress: number = word.round * 4

/** The place of an argument. */
export function placeOf(arg: Buffer | Moving, heap: Heap): Place {
  if (!('buffer' in arg)) {
    const own = ownBuffer(arg, heap)
    return { block: own.address, address: () => own.address, at: () => ownBuffer(own, heap) }
  }
  const { buffer, offset, stride, period } = arg
  const own = ownBuffer(buffer, heap)
  return {
    block: own.address,
    address() {
      const round = i32.load(0, roundAddress)
      const turn = period === undefined ? round : i32.rem_u(round, period)
      return i32.add(i32.mul(turn, stride), own.address + offset)
    },
    at: (round) =>
      ownBuffer(own, heap).from(offset + stride * (period === undefined ? round : round % period)),
  }
}
