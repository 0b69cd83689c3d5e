// Random words: element i is the scramble of the number i under a key, so that no state is kept anywhere.
import type { DType } from '../../dtype.ts'
import { fixedSize } from '../../dtype.ts'
import { ShapeError } from '../../errors.ts'
import type { Tensor } from '../../graph/graph.ts'
import { E } from '../../ir/expr.ts'
import { attr, defineOp } from '../../op.ts'
import type { Size, TensorType } from '../../shape.ts'
import { broadcastShapes, formatShape, mergeShapes, sizeOf } from '../../shape.ts'
import { iota } from '../array/iota.ts'
import { reshape } from '../array/reshape.ts'
import { slice } from '../array/slice.ts'
import type { TensorLike } from '../constant.ts'
import { constant, toTensor } from '../constant.ts'
import { cast } from '../math/cast.ts'
import { threefryOf } from './threefry.ts'

const uint32: readonly DType[] = ['uint32']
const wordAttr = attr.int('which of the two words that every counter makes: 0 or 1', 0)

const threefryOp = defineOp({
  name: 'Threefry',
  doc: 'A random word of a key (k0, k1) and a counter (c0, c1), element by element, with broadcasting.',
  inputs: ['k0', 'k1', 'c0', 'c1'],
  dtypes: [uint32],
  attrs: { word: wordAttr },
  infer: (inputs) => [{ dtype: 'uint32', shape: inputs.map((t) => t.shape).reduce(broadcastShapes) }],
  body: {
    kind: 'scalar',
    expr: ([k0, k1, c0, c1], { word }) => threefryOf([k0, k1], [c0, c1])[word === 0 ? 0 : 1],
  },
})
/** The definition behind random words, for lists of ops. */
export const threefryDef = { def: threefryOp.def }

// The second word of the counter tells what is drawn, so that the elements under a key and the keys made of it never meet.
const elements = 0
const keys = 1

/** uint32 words in a shape, whose sizes may be names; each element depends on the key and its position alone. */
export const randomBits = defineOp({
  name: 'RandomBits',
  doc: 'uint32 words in a shape; each element depends on the key [2] and its position alone.',
  inputs: ['key'],
  dtypes: [uint32],
  attrs: { shape: attr.shape('the shape'), word: wordAttr },
  infer: ([key], { shape }) => {
    checkKey(key)
    return [{ dtype: 'uint32', shape }]
  },
  body: {
    kind: 'composite',
    build: ([key], { shape, word }): Tensor => {
      const position = reshape(iota({ shape: [sizeOf(shape as Size)], dtype: 'uint32' }), { shape })
      const [k0, k1] = halves(key)
      return threefryOp(k0, k1, position, constant(elements, 'uint32'), { word })
    },
  },
})

/** `randomBits` in the shape of `like`, whose values are not used. */
export const randomBitsLike = defineOp({
  name: 'RandomBitsLike',
  doc: 'uint32 words in the shape of another tensor, whose values are not used.',
  inputs: ['key', 'like'],
  dtypes: [uint32, fixedSize],
  attrs: { word: wordAttr },
  traits: { shapeOnly: (i) => i === 1 },
  infer: ([key, like]) => {
    checkKey(key)
    return [{ dtype: 'uint32', shape: like.shape }]
  },
  body: {
    kind: 'composite',
    build: ([key, like], { word }): Tensor => randomBits(key, { shape: like.shape, word }),
  },
})

/** A new key [2] of a key and a whole number, int32 or uint32: different numbers make unrelated keys. */
export const foldIn = defineOp({
  name: 'FoldIn',
  doc: 'A new key [2] of a key and a whole number: different numbers make unrelated keys.',
  inputs: ['key', 'data'],
  dtypes: [uint32, ['int32', 'uint32']],
  literals: { data: 'uint32' },
  infer: ([key, data]) => {
    checkKey(key)
    if (data.shape.length > 0) throw new ShapeError(`data ${formatShape(data.shape)} must be a scalar`)
    return [key]
  },
  body: {
    kind: 'composite',
    build: ([key, data]): Tensor => {
      const [k0, k1] = halves(key)
      const [counter, kind] = [cast(data, { to: 'uint32' }), constant(keys, 'uint32')]
      return eitherWord(
        threefryOp(k0, k1, counter, kind, { word: 0 }),
        threefryOp(k0, k1, counter, kind, { word: 1 }),
      )
    },
  },
})

/** `count` unrelated keys of one. After splitting, do not use the old one to draw the same things again. */
export function splitKey(key: TensorLike, count = 2): Tensor[] {
  const parent = toTensor(key, 'uint32')
  return Array.from({ length: count }, (_, i) => foldIn(parent, i))
}

const eitherWordOp = defineOp({
  name: 'KeyOfWords',
  doc: 'The key of two words.',
  inputs: ['a', 'b'],
  dtypes: [uint32],
  infer: () => [{ dtype: 'uint32', shape: [2] }],
  body: { kind: 'scalar', expr: ([a, b], _, { at }) => E.select(E.eq(at[0]!, E.num(0, 'int32')), a, b) },
})
/** The definition behind `foldIn`, for lists of ops. */
export const keyOfWordsDef = { def: eitherWordOp.def }
const eitherWord = (a: Tensor, b: Tensor): Tensor => eitherWordOp(a, b)

/** The words of a key as scalars. */
function halves(key: Tensor): [Tensor, Tensor] {
  const word = (i: number): Tensor => reshape(slice(key, { begin: [i], size: [1] }), { shape: [] })
  return [word(0), word(1)]
}
function checkKey(key: TensorType): void {
  mergeShapes(key.shape, [2], 'a key is uint32[2], as randomKey, foldIn and splitKey make')
}
