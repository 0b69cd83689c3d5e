// A product as all forms of it are told: sizes, two operands, and what is computed with. Ops differ only in how they become one.
import type { ConcreteType, Signature, Size } from '@shoal/core'
import { broadcastShapes, sizeOf, stridesOf } from '@shoal/core'
import type { Target } from '../../stage.ts'
import { type Arithmetic, arithmeticOf, byteArithmetic } from './arithmetic.ts'
import type { Operand } from './operand.ts'

/** result[batch, i, j] = Σ a[batch, i, p] · b[batch, p, j] */
export interface Product {
  readonly batches: Size
  readonly m: number
  readonly n: number
  readonly k: number
  readonly a: Operand
  readonly b: Operand
  readonly arithmetic: Arithmetic
  readonly result: ConcreteType
}

/** MatMul. */
export function matmulProduct({ inputs: [a, b], outputs: [result], attrs }: Signature): Product {
  const { transposeA, transposeB } = attrs as { readonly transposeA?: boolean; readonly transposeB?: boolean }
  const batches = broadcastShapes(a!.shape.slice(0, -2), b!.shape.slice(0, -2)) as Size
  return withRowsTogether({
    batches,
    m: a!.shape.at(transposeA ? -1 : -2)!,
    n: b!.shape.at(transposeB ? -2 : -1)!,
    k: a!.shape.at(transposeA ? -2 : -1)!,
    a: operandOf(a!, 0, transposeA ? 'outer' : 'inner', batches),
    b: operandOf(b!, 1, transposeB ? 'inner' : 'outer', batches),
    arithmetic: arithmeticOf(result!.dtype),
    result: result!,
  })
}

/** Float16MatMul: the weights lie as those of a product with b transposed. */
export const float16Product = (signature: Signature): Product =>
  matmulProduct({ ...signature, attrs: { transposeA: false, transposeB: true } })

/** QuantizedMatMul: four steps of k at a time where they share words. */
export function quantizedProduct(signature: Signature, target: Target): Product {
  const product = float16Product(signature)
  const a: Operand = { ...product.a, rectified: true }
  if (product.k % 4 !== 0) return { ...product, a }
  const k = product.k / 4
  return {
    ...product,
    k,
    a: { ...a, inner: k, words: true },
    b: { ...product.b, inner: k, words: true },
    arithmetic: byteArithmetic(target.features.has('packed_4x8_integer_dot_product')),
  }
}

function operandOf(
  { dtype, shape }: ConcreteType,
  arg: number,
  along: Operand['along'],
  batches: Size,
): Operand {
  const own = shape.slice(0, -2)
  const strides = stridesOf(shape)
  const [outer, inner] = along === 'outer' ? [shape.at(-1)!, shape.at(-2)!] : [shape.at(-2)!, shape.at(-1)!]
  const batchStrides = batches.map((_, axis) => {
    const at = axis - batches.length + own.length
    return at < 0 || own[at] === 1 ? 0 : strides[at]!
  })
  return { arg, dtype, length: sizeOf(shape), outer, inner, along, batchStrides }
}

/** Batches of rows that meet one and the same matrix are rows of one product. */
function withRowsTogether(product: Product): Product {
  const { a, b, batches, m, k } = product
  const count = sizeOf(batches)
  if (a.along === 'outer' || a.length !== count * m * k || b.batchStrides.some((stride) => stride > 0))
    return product
  return {
    ...product,
    batches: [],
    m: count * m,
    a: { ...a, outer: count * m, batchStrides: [] },
    b: { ...b, batchStrides: [] },
  }
}
