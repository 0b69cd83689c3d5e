// The plan of a product: tile, blocks, what is packed, and where it lies in the workspace. Everything here is a number before code is written.
import { type Element } from './element.ts'
import { elements } from './microKernel.ts'
import { chooseTile, type Tile } from './tile.ts'

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
  /** Elements from one row in memory to the next; default: rows lie close. */
  readonly lda?: number
  readonly ldb?: number
  readonly ldc?: number
  /** Add to C instead of overwriting it. Default false. */
  readonly accumulate?: boolean
}

/** How a product is computed. */
export interface MatmulOptions {
  /** Fused multiply-add: faster, and another last bit. */
  readonly relaxed: boolean
  /** The register block; chosen for the shape by default. */
  readonly tile?: Tile
  /** Vector registers of the machine: 15 (default, x64) or 27 (arm64). */
  readonly registers?: number
}

/** A length cut into equal blocks and a shorter one at the end. */
export interface Blocks {
  readonly size: number
  /** Whole blocks. */
  readonly whole: number
  /** Length of the last block, 0 when there is none. */
  readonly tail: number
  /** All blocks. */
  readonly count: number
}

/** Cuts `length` into blocks of `size`. */
export function blocks(length: number, size: number): Blocks {
  const tail = length % size
  const whole = (length - tail) / size
  return { size, whole, tail, count: whole + (tail > 0 ? 1 : 0) }
}

/** All that the code generator needs. */
export interface MatmulPlan {
  readonly element: Element
  readonly rows: Blocks
  readonly columns: Blocks
  readonly depth: Blocks
  /** Column panels that are used together, while they stay in the second cache. */
  readonly panelsTogether: number
  readonly packA: boolean
  readonly packB: boolean
  /** Bytes of a packed panel of A, for all k; of B for one step of k, all panels. */
  readonly aPanelBytes: number
  readonly bStepBytes: number
  /** Byte offset of packed A in the workspace; packed B is at 0. */
  readonly aOffset: number
  readonly workspaceBytes: number
  readonly lda: number
  readonly ldb: number
  readonly ldc: number
}

/** Elements of B that may be read in place: they stay in the first cache. */
const smallOperand = 4096

/** Bytes of packed B that stay in the second cache while A passes by. */
const cachedBytes = 480 * 1024

export function planMatmul(spec: MatmulSpec, options: MatmulOptions): MatmulPlan {
  const { m, n, k, transposeA = false, transposeB = false } = spec
  const { lda = transposeA ? m : k, ldb = transposeB ? k : n, ldc = n } = spec
  const element = elements[spec.element ?? 'f32']
  const { lanes, bytes } = element
  const { relaxed, registers = 15 } = options
  const tile = options.tile ?? chooseTile({ m, n, lanes, relaxed, registers })
  const rows = blocks(m, tile.rows)
  const columns = blocks(n, tile.vectors * lanes)
  const depth = blocks(k, m >= 1024 && n >= 1024 ? 384 : 256)
  const panelBytes = columns.size * depth.size * bytes

  // Few rows do not pay for a copy of B, unless it must be transposed.
  const packB = transposeB || (n * k > smallOperand && rows.count > 3)
  const packA = transposeA && m * k > smallOperand
  const bStepBytes = (columns.whole * columns.size + Math.ceil(columns.tail / lanes) * lanes) * bytes
  // packAdjacent writes up to a vector beyond the panel.
  const aPanelBytes = k * rows.size * bytes + 16
  const aOffset = packB ? roundUp(k * bStepBytes, 64) : 0
  return {
    element,
    rows,
    columns,
    depth,
    panelsTogether: Math.max(1, Math.floor(cachedBytes / panelBytes)),
    packA,
    packB,
    aPanelBytes,
    bStepBytes,
    aOffset,
    workspaceBytes: aOffset + (packA ? rows.count * aPanelBytes : 0),
    lda,
    ldb,
    ldc,
  }
}

function roundUp(value: number, step: number): number {
  return Math.ceil(value / step) * step
}
