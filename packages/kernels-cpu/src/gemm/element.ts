// What the block kernels need to know of an element type, so that one generator serves float32 and float64.
import { f32x4, f64x2, i32x4, type Operand, type Value, v128 } from '../wasm/index.ts'

type Vector = Operand<'v128'>
type Address = Operand<'i32'>

/** An element type and its vector instructions. */
export interface Element {
  readonly name: 'f32' | 'f64'
  /** Bytes of an element. */
  readonly bytes: number
  /** Elements of a vector. */
  readonly lanes: number
  /** One element in all lanes. */
  readonly loadSplat: (address: Address, offset: number) => Value<'v128'>
  /** Reads exactly `count` elements, 1 to `lanes`; lanes beyond are 0. */
  readonly load: (address: Address, count: number, offset: number) => Value<'v128'>
  /** Writes exactly the first `count` elements, 1 to `lanes`. `vector` may be emitted several times: give a local. */
  readonly store: (address: Address, vector: Value<'v128'>, count: number, offset: number) => Value<'none'>[]
  readonly add: (a: Vector, b: Vector) => Value<'v128'>
  /** a · b + c, in one rounding where `relaxed` and the machine can. */
  readonly multiplyAdd: (a: Vector, b: Vector, c: Vector, relaxed: boolean) => Value<'v128'>
  /** The columns of a square of `lanes` rows. Rows may be emitted several times: give locals. */
  readonly transpose: (rows: readonly Value<'v128'>[]) => Value<'v128'>[]
}

/** Four lanes of single precision. */
export const float32: Element = {
  name: 'f32',
  bytes: 4,
  lanes: 4,
  loadSplat: v128.load32_splat,
  load(address, count, offset) {
    if (count === 4) return v128.load(address, offset)
    if (count === 3) return v128.load32_lane(address, v128.load64_zero(address, offset), 2, offset + 8)
    return count === 2 ? v128.load64_zero(address, offset) : v128.load32_zero(address, offset)
  },
  store(address, vector, count, offset) {
    if (count === 4) return [v128.store(address, vector, offset)]
    const pair = v128.store64_lane(address, vector, 0, offset)
    if (count === 3) return [pair, v128.store32_lane(address, vector, 2, offset + 8)]
    return count === 2 ? [pair] : [v128.store32_lane(address, vector, 0, offset)]
  },
  add: f32x4.add,
  multiplyAdd: (a, b, c, relaxed) => (relaxed ? f32x4.relaxed_madd(a, b, c) : f32x4.add(f32x4.mul(a, b), c)),
  transpose(rows) {
    const [a, b, c, d] = rows as [Value<'v128'>, Value<'v128'>, Value<'v128'>, Value<'v128'>]
    const low = [0, 4, 1, 5]
    const high = [2, 6, 3, 7]
    const pairs = (half: readonly number[]) => [v128.shuffle(a, b, half), v128.shuffle(c, d, half)] as const
    return [low, high].flatMap((half) => {
      const [ab, cd] = pairs(half)
      return [v128.shuffle(ab, cd, [0, 2]), v128.shuffle(ab, cd, [1, 3])]
    })
  },
}

/** Two lanes of double precision. */
export const float64: Element = {
  name: 'f64',
  bytes: 8,
  lanes: 2,
  loadSplat: v128.load64_splat,
  load: (address, count, offset) =>
    count === 2 ? v128.load(address, offset) : v128.load64_zero(address, offset),
  store: (address, vector, count, offset) => [
    count === 2 ? v128.store(address, vector, offset) : v128.store64_lane(address, vector, 0, offset),
  ],
  add: f64x2.add,
  multiplyAdd: (a, b, c, relaxed) => (relaxed ? f64x2.relaxed_madd(a, b, c) : f64x2.add(f64x2.mul(a, b), c)),
  transpose(rows) {
    const [a, b] = rows as [Value<'v128'>, Value<'v128'>]
    return [v128.shuffle(a, b, [0, 2]), v128.shuffle(a, b, [1, 3])]
  },
}

/** All lanes zero. */
export const zero: Value<'v128'> = i32x4.const(0)
