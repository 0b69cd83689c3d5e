// The system's BLAS as two functions: a library is looked for by the names that it goes by, and opened through koffi.
import type { OptionRules } from '@shoal/core'
import { checkOptions, NotFoundError, optionRules } from '@shoal/core'
import type * as koffi from 'koffi'

/** Which library computes, and on how many threads. */
export interface BlasOptions {
  /**
   * File or name of a library with the C interface of BLAS (cblas_sgemm), whose sizes have 32 bits. Builds of OpenBLAS with 64 bits are
   * refused; those of BLIS and MKL cannot be told apart, and would answer nonsense. Default: OpenBLAS, BLIS or Accelerate, where the system keeps them.
   */
  readonly library?: string
  /**
   * Threads of the library, which are its own and beside those of the device. One number holds for the whole process: the last
   * one that was given. Default 1. Accelerate takes no number, and decides for itself.
   */
  readonly threads?: number
}

const blasRules: OptionRules<BlasOptions> = { library: optionRules.text, threads: optionRules.whole(1) }

/** Rows of C lie one after the other, and so do those of A and B. */
const rowMajor = 101
const plain = 111
const transposed = 112

/**
 * C = op(A) · op(B) + beta · C, for row-major matrices at addresses: op(A) is m × k, op(B) k × n. With beta 0, C is only written.
 * Leading dimensions are elements from one row to the next, as the matrices lie in memory.
 */
export type Gemm = (
  transposeA: boolean,
  transposeB: boolean,
  m: number,
  n: number,
  k: number,
  a: number,
  leadingA: number,
  b: number,
  leadingB: number,
  beta: number,
  c: number,
  leadingC: number,
) => void

/** y = op(A) · x for a row-major matrix of rows × columns, all at addresses. y holds zeros before. */
export type Gemv = (
  transpose: boolean,
  rows: number,
  columns: number,
  a: number,
  x: number,
  y: number,
) => void

/** The functions of one dtype. */
export interface Products {
  readonly gemm: Gemm
  readonly gemv: Gemv
}

/** An opened library: its functions take addresses of this process. */
export interface Library {
  readonly name: string
  readonly float32: Products
  readonly float64: Products
  /** Where a view begins in this process; it holds until its memory grows. */
  addressOf(view: Uint8Array): number
}

/** Where libraries are found, best first; a name without a path is looked for as the system's loader does. */
const candidates: Partial<Record<NodeJS.Platform, readonly string[]>> = {
  linux: [
    'libopenblas.so.0',
    'libopenblasp.so.0',
    'libopenblas.so',
    'libblis.so.4',
    'libblis.so.3',
    'libblis.so',
  ],
  // Accelerate is part of the system, and the only one that reaches its matrix unit.
  darwin: [
    '/System/Library/Frameworks/Accelerate.framework/Accelerate',
    '/opt/homebrew/opt/openblas/lib/libopenblas.dylib',
    '/usr/local/opt/openblas/lib/libopenblas.dylib',
  ],
  win32: ['libopenblas.dll', 'openblas.dll'],
}

/** How libraries are told a number of threads: the function, and the type of its argument. */
const threadSetters = [
  ['openblas_set_num_threads', 'int'],
  // BLIS counts in 64 bits.
  ['bli_thread_set_num_threads', 'int64_t'],
  ['MKL_Set_Num_Threads', 'int'],
] as const

const without = 'Without blas() the cpu device computes the same.'

type Koffi = typeof koffi
type Handle = ReturnType<Koffi['load']>

/**
 * Opens the first library that is there.
 * @param name the function that was called, for errors
 * @throws NotFoundError where there is none, ValueError for options that there are not or out of range
 */
export function openLibrary(options: BlasOptions, name = 'blas'): Library {
  checkOptions(name, options, blasRules)
  return open(foreignFunctions(), options)
}

/** As `openLibrary`, but undefined where there is none, unless it was asked for by its name. @throws ValueError, NotFoundError */
export function findLibrary(options: BlasOptions, name = 'findBlas'): Library | undefined {
  checkOptions(name, options, blasRules)
  const native = whereFound(foreignFunctions)
  if (!native) return undefined
  const openIt = (): Library => open(native, options)
  return options.library === undefined ? whereFound(openIt) : openIt()
}

/** What is found, or undefined where a NotFoundError says that there is nothing. */
function whereFound<T>(find: () => T): T | undefined {
  try {
    return find()
  } catch (error) {
    if (error instanceof NotFoundError) return undefined
    throw error
  }
}

function open(native: Koffi, { library, threads = 1 }: BlasOptions): Library {
  const tried: string[] = []
  for (const name of library === undefined ? (candidates[process.platform] ?? []) : [library]) {
    const handle = attempt(() => native.load(name))
    const opened = handle && functionsOf(handle)
    if (typeof opened === 'object') {
      setThreads(handle!, threads)
      return { name, ...opened, addressOf: (view) => Number(native.address(view)) }
    }
    tried.push(`${name} (${opened ?? 'not there'})`)
  }
  throw new NotFoundError(
    `no BLAS library was found; looked for ${tried.join(', ') || `none on ${process.platform}`}. ` +
      `Install one (Debian's package is libopenblas0) or name its file as \`library\`. ${without}`,
  )
}

/** koffi, asked for only when it is needed, so that this package can be imported where it cannot work. @throws NotFoundError */
function foreignFunctions(): Koffi {
  const node = globalThis.process?.getBuiltinModule?.('node:module')
  if (!node) throw new NotFoundError(`native libraries can be called from Node only. ${without}`)
  try {
    return node.createRequire(import.meta.url)('koffi') as Koffi
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new NotFoundError(
      `native libraries cannot be called, as koffi does not load (${why}). ${without}`,
      {
        cause,
      },
    )
  }
}

function attempt<T>(open: () => T): T | undefined {
  try {
    return open()
  } catch {
    return undefined
  }
}

/** Tells a library that takes a number of threads; others decide for themselves. */
function setThreads(handle: Handle, threads: number): void {
  for (const [setter, type] of threadSetters) attempt(() => handle.func(setter, 'void', [type]))?.(threads)
}

/** The functions of both precisions, or why it is not a library that can be used. */
function functionsOf(handle: Handle): Pick<Library, 'float32' | 'float64'> | string {
  const config = attempt(() => handle.func('openblas_get_config', 'str', []))
  // There are builds of OpenBLAS whose sizes have 64 bits, under the same names.
  if (String(config?.()).includes('USE64BITINT')) return 'takes sizes of 64 bits, not of 32'
  const float32 = attempt(() => products(handle, 's', 'float'))
  const float64 = attempt(() => products(handle, 'd', 'double'))
  return float32 && float64 ? { float32, float64 } : 'has no cblas_sgemm: not a BLAS with the interface for C'
}

/** The functions of one precision: cblas_sgemm and cblas_sgemv, or those that begin with cblas_d. Throws where they are missing. */
function products(handle: Handle, letter: 's' | 'd', scalar: 'float' | 'double'): Products {
  const ints = (count: number) => Array<'int'>(count).fill('int')
  // Addresses as plain numbers: a call takes 0.14 µs, where views over the memory make it 0.24.
  const array = ['uintptr_t', 'int'] as const
  const operands = [scalar, ...array, ...array, scalar, ...array]
  const gemm = handle.func(`cblas_${letter}gemm`, 'void', [...ints(6), ...operands])
  const gemv = handle.func(`cblas_${letter}gemv`, 'void', [...ints(4), ...operands])
  const form = (transpose: boolean) => (transpose ? transposed : plain)
  return {
    gemm(transposeA, transposeB, m, n, k, a, leadingA, b, leadingB, beta, c, leadingC) {
      const [opA, opB] = [form(transposeA), form(transposeB)]
      gemm(rowMajor, opA, opB, m, n, k, 1, a, leadingA, b, leadingB, beta, c, leadingC)
    },
    gemv: (transpose, rows, columns, a, x, y) =>
      gemv(rowMajor, form(transpose), rows, columns, 1, a, columns, x, 1, 0, y, 1),
  }
}
