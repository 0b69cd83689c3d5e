// What every form of a matrix product has in common: its sizes, brought to the fewest cases, and the stages that it is computed in.
import type { Func } from '../wasm/index.ts'
import type { Element } from './element.ts'
import { elements } from './microKernel.ts'
import type { Tuning } from './tuning.ts'

/** C[m, n] = A[m, k] · B[k, n], row by row in memory. */
export interface MatmulSpec {
  /** Default 'f32'. */
  readonly element?: 'f32' | 'f64'
  readonly m: number
  readonly n: number
  readonly k: number
  /** A lies in memory as [k, m]. Default false. */
  readonly transposeA?: boolean
  /** B lies in memory as [n, k]. Default false. */
  readonly transposeB?: boolean
}

/** How a product is computed. None but `relaxed` changes a bit of the result. */
export interface MatmulOptions {
  /** Fused multiply-add: faster, and another last bit. */
  readonly relaxed: boolean
  /** What register blocks cost on this machine; estimated without. */
  readonly tuning?: Tuning | undefined
  /** Threads that units are to be enough for. Default 1. */
  readonly threads?: number | undefined
  /** B is the same at every call: where it would be packed, it is packed once, by `Matmul.prepare`. Default false. */
  readonly constantB?: boolean
  /** The register block of large products; chosen for the shape by default. */
  readonly tile?: { readonly rows: number; readonly vectors: number }
}

/** Parameters: addresses of A, B (or what it was prepared as), C and the workspace, then the first unit of work and the one after the last. */
export type ProductFunction = Func<readonly ['i32', 'i32', 'i32', 'i32', 'i32', 'i32'], 'none'>

export const parameters = ['i32', 'i32', 'i32', 'i32', 'i32', 'i32'] as const

/** Part of a product. All of a stage must have run before any of the next. The result does not depend on how units are divided. */
export interface ProductStage {
  readonly func: ProductFunction
  readonly units: number
  /** Multiply-adds (waiting for B counted as such), or elements copied, of all units. */
  readonly work: number
  readonly kind: 'pack' | 'multiply'
  /** Elements of C, contiguous, that one unit completes (the last one maybe fewer); absent where they are not contiguous. */
  readonly finishes?: number
}

/** A product in the form that it is computed in. */
export interface Product {
  readonly element: Element
  readonly m: number
  readonly n: number
  readonly k: number
  readonly transposeA: boolean
  readonly transposeB: boolean
  /** A and B have changed places: what is computed is the transposed product, which lies in memory like C. */
  readonly swapped: boolean
}

/**
 * Brings vectors to one form: a product with one column becomes the transposed product with one row,
 * and what has one row, one column or one step of k is not called transposed, as it lies in memory the same way.
 */
export function productOf(spec: MatmulSpec): Product {
  const { m, n, k, transposeA = false, transposeB = false } = spec
  const element = elements[spec.element ?? 'f32']
  const thin = k <= 1
  if (n === 1 && m > 1)
    return { element, m: 1, n: m, k, transposeA: false, transposeB: !transposeA && !thin, swapped: true }
  return {
    element,
    m,
    n,
    k,
    transposeA: transposeA && m > 1 && !thin,
    transposeB: (transposeB || n === 1) && !thin,
    swapped: false,
  }
}
