// Index tuples [...n, depth] into a tensor: how many there are, how many elements each names, and where those begin.
import type { ConcreteType } from '@shoal/core'
import { sizeOf, stridesOf } from '@shoal/core'
import type { Code } from '../lower/representation.ts'
import { i32, i64, type Local, type Operand, type Value } from '../wasm/index.ts'

/** The tuples of one tensor of indices into another. */
export interface Tuples {
  readonly count: number
  /** Elements of the slice that a tuple names. */
  readonly width: number
  /** The flat element at which the slice of tuple number `n` begins, and whether all its indices are in range; both computed here. */
  at(f: Code, indices: Local<'i32'>, n: Operand<'i32'>): { first: Local<'i32'>; inside: Local<'i32'> }
}

/** The tuples along the last axis of `indices`, int32 or int64, into `x`. */
export function tuplesOf({ shape }: ConcreteType, indices: ConcreteType): Tuples {
  const depth = indices.shape.at(-1)!
  const strides = stridesOf(shape)
  return {
    count: sizeOf(indices.shape.slice(0, -1)),
    width: sizeOf(shape.slice(depth)),
    at(f, address, n) {
      const position = f.let(i32.mul(n, depth))
      const first = f.local('i32')
      const inside = f.let(i32.const(1))
      f.set(first, 0)
      for (let axis = 0; axis < depth; axis++) {
        const [index, valid] = indexAt(f, address, i32.add(position, axis), indices, shape[axis]!)
        f.set(first, i32.add(first, i32.mul(index, strides[axis]!)))
        f.set(inside, i32.and(inside, valid))
      }
      return { first, inside }
    },
  }
}

/** Number `position` of `indices`, and whether it is one of [0, size). */
export function indexAt(
  f: Code,
  address: Local<'i32'>,
  position: Operand<'i32'>,
  { dtype }: ConcreteType,
  size: number,
): [index: Value<'i32'>, inside: Value<'i32'>] {
  if (dtype === 'int32') {
    const index = f.let(i32.load(i32.add(address, i32.mul(position, 4))))
    return [index, i32.lt_u(index, size)]
  }
  const index = f.let(i64.load(i32.add(address, i32.mul(position, 8))))
  return [i32.wrap_i64(index), i64.lt_u(index, BigInt(size))]
}
