// The different values of a list.
import { allocate, dtypeNames } from '../../dtype.ts'
import { ShapeError } from '../../errors.ts'
import { getElement, NDArray, setElement } from '../../ndarray.ts'
import { attr, defineOp } from '../../op.ts'
import { formatShape, unknown } from '../../shape.ts'

/**
 * The different values of a list in the order in which they first appear; for each element of x which of them it is;
 * and how often each occurs. Runs on the host.
 */
export const unique = defineOp({
  name: 'Unique',
  doc: 'The different values of a list in order of first appearance, which of them each element is, and how often each occurs. Runs on the host.',
  inputs: ['x'],
  dtypes: [dtypeNames],
  outputs: ['values', 'inverse', 'counts'],
  attrs: { dtype: attr.oneOf('the dtype of the inverse and the counts', ['int32', 'int64']) },
  infer: ([x], { dtype }) => {
    if (x.shape.length !== 1)
      throw new ShapeError(`needs a list, got ${formatShape(x.shape)}: reshape it to [-1]`)
    return [
      { dtype: x.dtype, shape: [unknown] },
      { dtype, shape: x.shape },
      { dtype, shape: [unknown] },
    ]
  },
  grad: (): [null] => [null],
  body: {
    kind: 'runtime',
    role: 'host',
    run([x], { dtype }) {
      const { places, firsts } = distinct(x!)
      const values = allocate(x!.dtype, firsts.length)
      firsts.forEach((first, place) => {
        const value = getElement(x!.dtype, x!.data, first)
        // 0 and -0 are equal: 0 speaks for both.
        setElement(x!.dtype, values, place, value === 0 ? 0 : value)
      })
      const counts = new Int32Array(firsts.length)
      for (const place of places) counts[place]!++
      return [
        new NDArray(x!.dtype, [firsts.length], values),
        new NDArray('int32', [x!.size], places).cast(dtype),
        new NDArray('int32', [firsts.length], counts).cast(dtype),
      ]
    },
  },
})

/** Which of the different elements each one is, and where each of those comes first. */
interface Distinct {
  readonly places: Int32Array
  readonly firsts: readonly number[]
}

function distinct(x: NDArray): Distinct {
  return x.dtype === 'string' ? distinctTexts(x.data as readonly string[]) : distinctNumbers(keysOf(x))
}

function distinctTexts(texts: readonly string[]): Distinct {
  const known = new Map<string, number>()
  const firsts: number[] = []
  const places = Int32Array.from(texts, (text, i) => {
    const place = known.get(text) ?? firsts.push(i) - 1
    known.set(text, place)
    return place
  })
  return { places, firsts }
}

/** 64 bits for each element, as pairs of integers, which are equal where the elements are: 0 and -0 are, and so is every NaN. */
function keysOf({ dtype, data, size }: NDArray): Int32Array {
  if (dtype === 'int64') {
    const { buffer, byteOffset } = data as BigInt64Array
    return new Int32Array(buffer, byteOffset, 2 * size)
  }
  const keys = new Float64Array(size)
  for (let i = 0; i < size; i++) {
    const value = Number(getElement(dtype, data, i))
    keys[i] = value !== value ? NaN : value + 0
  }
  return new Int32Array(keys.buffer)
}

/** Open addressing in a table that is never more than half full: a `Map` of as many numbers takes three times as long. */
function distinctNumbers(keys: Int32Array): Distinct {
  const size = keys.length / 2
  const bits = Math.max(1, Math.ceil(Math.log2(2 * size + 1)))
  // 0 is a free place of the table, n + 1 stands for the n-th different element.
  const table = new Int32Array(2 ** bits)
  const firsts: number[] = []
  const places = new Int32Array(size)
  for (let i = 0; i < size; i++) {
    const [low, high] = [keys[2 * i]!, keys[2 * i + 1]!]
    // Multiplicative hashing (Knuth, The Art of Computer Programming 3, 6.4): the upper bits depend on all of the key's.
    let slot = Math.imul(low ^ Math.imul(high, 0x85ebca6b), 0x9e3779b1) >>> (32 - bits)
    let place = table[slot]! - 1
    while (place >= 0 && (keys[2 * firsts[place]!] !== low || keys[2 * firsts[place]! + 1] !== high)) {
      slot = (slot + 1) % table.length
      place = table[slot]! - 1
    }
    if (place < 0) table[slot] = (place = firsts.push(i) - 1) + 1
    places[i] = place
  }
  return { places, firsts }
}
