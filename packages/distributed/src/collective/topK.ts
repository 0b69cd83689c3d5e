// Compression: of many elements only the largest are sent, and what was not sent is added to what is to be sent the next time.
import type { NDArray } from '@shoal/core'
import { DTypeError, ndarray } from '@shoal/core'
import { ProtocolError } from '../errors.ts'
import type { Message } from '../transport/contract.ts'
import { meanOf, type ReduceOptions } from './allReduce.ts'
import { pack } from './arena.ts'
import { addScaledAt, addTo, divide, roundTo } from './arithmetic.ts'
import type { PartPlan } from './exchange.ts'
import { ringGather } from './gather.ts'

/** What one member has not sent yet, by the name of what it belongs to; it stays with the member. */
export class Residuals {
  readonly #values = new Map<string, Float32Array>()

  /** What is left of `name`; undefined when nothing was ever left. */
  get(name: string): Float32Array | undefined {
    return this.#values.get(name)
  }
  /** States what is left. */
  set(name: string, values: Float32Array): void {
    this.#values.set(name, values)
  }
}

/** How arrays are compressed. */
export interface Compression {
  /** The share of the elements of all arrays together that is sent, those of largest magnitude; at least one is. Above 0, at most 1. */
  readonly topK: number
  /** Where what is not sent is kept. */
  readonly residuals: Residuals
  /** Under which name. Default: one for all. */
  readonly name?: string
}

/**
 * A sum of the largest elements of every member. Each sends indices (int32) and values; all add them up in the order of ranks. Error feedback
 * after Stich et al., Sparsified SGD with memory, 2018; what rounding to 16 bits takes away is kept as well.
 * @throws DTypeError for arrays that are not float32.
 */
export function sumOfLargest(
  arrays: readonly NDArray[],
  { topK, residuals, name = '' }: Compression,
  { op, weight, wire }: Required<Pick<ReduceOptions, 'op' | 'weight'>> & Pick<ReduceOptions, 'wire'>,
): Omit<PartPlan<readonly NDArray[]>, 'signature'> {
  const other = arrays.find(({ dtype }) => dtype !== 'float32')
  if (other) throw new DTypeError(`of ${other.dtype} the largest elements are not chosen: compress float32`)
  const { arenas, unpack } = pack(arrays, { wire: undefined, blank: weight === 0, floats: op === 'mean' })
  const values = (arenas[0]?.data ?? new Float32Array(0)) as Float32Array
  const before = residuals.get(name)
  if (before?.length === values.length && weight > 0) addTo(values, before)
  const indices = weight > 0 ? largest(values, Math.ceil(topK * values.length)) : new Int32Array(0)
  const chosen = Float32Array.from(indices, (i) => values[i]!)
  if (wire) roundTo(chosen, wire)
  const rest = values.slice()
  indices.forEach((at, i) => (rest[at] = rest[at]! - chosen[i]!))
  const head = new Uint8Array(8)
  new DataView(head.buffer).setFloat64(0, weight, true)
  return {
    kept: () => {
      if (weight > 0) residuals.set(name, rest)
    },
    async work(channel) {
      const own: Message = { head, tensors: [ndarray(indices), ndarray(chosen)] }
      values.fill(0)
      let total = 0
      for (const message of await ringGather(own, channel)) {
        const part = readPart(message, values.length)
        addScaledAt(values, part.indices, part.values, part.weight)
        total += part.weight
      }
      if (op === 'mean') divide(values, meanOf(total))
      return unpack()
    },
  }
}

function readPart({ head, tensors }: Message, length: number) {
  const [indices, values] = tensors
  if (
    head.length !== 8 ||
    indices?.dtype !== 'int32' ||
    values?.dtype !== 'float32' ||
    indices.size !== values.size
  )
    throw new ProtocolError('indices and values were asked for, and others came')
  const at = indices.data as Int32Array
  if (at.some((i) => i < 0 || i >= length))
    throw new ProtocolError(`there is an index that none of ${length} elements has`)
  return {
    weight: new DataView(head.buffer, head.byteOffset).getFloat64(0, true),
    indices: at,
    values: values.data as Float32Array,
  }
}

/** The indices of the `count` elements of largest magnitude, in order; of equal ones the first. NaN counts as largest. */
export function largest(values: Float32Array, count: number): Int32Array {
  // Without their sign, floats are in the order of their bits.
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length).map((x) => x & 0x7fffffff)
  const least = nthLargest(bits, count)
  let equal = count - bits.reduce((n, x) => n + (x > least ? 1 : 0), 0)
  const indices = new Int32Array(count)
  let at = 0
  bits.forEach((x, i) => {
    if (x > least || (x === least && equal-- > 0)) indices[at++] = i
  })
  return indices
}

/** The n-th largest, by counting high halves, and then the low halves of those with the high half that it has. */
function nthLargest(values: Uint32Array, n: number): number {
  const find = (
    digit: (x: number) => number,
    fits: (x: number) => boolean,
    nth: number,
  ): readonly [number, number] => {
    const counts = new Uint32Array(2 ** 16)
    for (const x of values) if (fits(x)) counts[digit(x)]!++
    let left = nth
    let at = counts.length - 1
    while (at > 0 && left > counts[at]!) left -= counts[at--]!
    return [at, left]
  }
  const high = (x: number): number => x >>> 16
  const [top, left] = find(high, () => true, n)
  const [low] = find(
    (x) => x & 0xffff,
    (x) => high(x) === top,
    left,
  )
  return top * 2 ** 16 + low
}
