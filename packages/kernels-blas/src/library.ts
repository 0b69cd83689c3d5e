// The system's BLAS as two functions: a library is looked for by the names that it goes by, and opened through koffi.
import { NotFoundError, ValueError } from '@shoal/core'
import type * as koffi from 'koffi'

/** Which library computes, and on how many threads. */
export interface BlasOptions {
  /** File or name of a library with the C interface of BLAS (cblas_sgemm). Default: OpenBLAS, BLIS or Accelerate, where the system keeps them. */
  readonly library?: string
  /**
   * Threads of the library, which are its own and beside those of the device. One number holds for the whole process: the last
   * one that was given. Default 1. Accelerate takes no number.
   */
  readonly threads?: number
}

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

type Koffi = typeof koffi
type Handle = ReturnType<Koffi['load']>

/** koffi, if this is Node on a system that it was built for; asked for only here, so that everything else loads everywhere. */
function foreignFunctions(): Koffi | undefined {
  const node = globalThis.process?.getBuiltinModule?.('node:module')
  try {
    return node?.createRequire(import.meta.url)('koffi') as Koffi | undefined
  } catch {
    return undefined
  }
}

/**
 * Opens the first library that is there.
 * @throws NotFoundError where there is none, ValueError for options that it does not take
 */
export function openLibrary({ library, threads }: BlasOptions): Library {
  if (threads !== undefined && !(Number.isInteger(threads) && threads >= 1))
    throw new ValueError(`threads must be a whole number from 1, got ${threads}`)
  const native = foreignFunctions()
  if (!native)
    throw new NotFoundError(
      'native libraries cannot be called here: koffi, which does it, needs Node and has no build for every system. ' +
        'The cpu device computes the same without blas().',
    )
  const names = library === undefined ? (candidates[process.platform] ?? []) : [library]
  for (const name of names) {
    const handle = attempt(() => native.load(name))
    if (!handle) continue
    refuseWideIntegers(name, handle)
    const opened: Library = {
      name,
      float32: products(name, handle, 's', 'float'),
      float64: products(name, handle, 'd', 'double'),
      addressOf: (view) => Number(native.address(view)),
    }
    setThreads(name, handle, threads)
    return opened
  }
  throw new NotFoundError(
    `no BLAS library was found; looked for ${names.join(', ') || `none on ${process.platform}`}. ` +
      "Install one (Debian's package is libopenblas0), name its file as `library`, or leave out blas(): " +
      'the cpu device computes the same without it.',
  )
}

/** As `openLibrary`, but undefined where there is none. @throws ValueError */
export function findLibrary(options: BlasOptions): Library | undefined {
  try {
    return openLibrary(options)
  } catch (error) {
    if (error instanceof NotFoundError) return undefined
    throw error
  }
}

function attempt<T>(open: () => T): T | undefined {
  try {
    return open()
  } catch {
    return undefined
  }
}

/** There are builds of OpenBLAS that take sizes of 64 bits under the same names. */
function refuseWideIntegers(name: string, handle: Handle): void {
  const config = attempt(() => handle.func('openblas_get_config', 'str', []))
  if (String(config?.()).includes('USE64BITINT'))
    throw new ValueError(`${name} takes sizes of 64 bits: name a build that takes sizes of 32`)
}

function setThreads(name: string, handle: Handle, threads: number | undefined): void {
  for (const [setter, type] of threadSetters) {
    const set = attempt(() => handle.func(setter, 'void', [type]))
    if (!set) continue
    set(threads ?? 1)
    return
  }
  if (threads !== undefined)
    throw new ValueError(`${name} takes no number of threads: leave it out, or use another library`)
}

/** The functions of one precision: cblas_sgemm, cblas_dgemv. */
function products(name: string, handle: Handle, letter: 's' | 'd', scalar: 'float' | 'double'): Products {
  // Addresses as plain numbers: koffi takes them in half the time that views over the memory need.
  const array = ['uintptr_t', 'int'] as const
  const ints = (count: number) => Array<'int'>(count).fill('int')
  const find = (symbol: string, parameters: readonly string[]) => {
    const found = attempt(() => handle.func(symbol, 'void', [...parameters]))
    if (!found) throw new NotFoundError(`${name} has no ${symbol}: it is no BLAS with the interface for C`)
    return found
  }
  const gemm = find(`cblas_${letter}gemm`, [...ints(6), scalar, ...array, ...array, scalar, ...array])
  const gemv = find(`cblas_${letter}gemv`, [...ints(4), scalar, ...array, ...array, scalar, ...array])
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
