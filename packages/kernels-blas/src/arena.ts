// The library's products on one memory of WebAssembly: addresses are bytes from its beginning, wherever it lies in the process.
import { dtypes } from '@shoal/core'
import type { Library, Products } from './library.ts'

/** Products of one dtype on a memory. */
export function productsOn(
  memory: WebAssembly.Memory,
  library: Library,
  dtype: 'float32' | 'float64',
): Products {
  const { gemm, gemv } = library[dtype]
  const { bytes } = dtypes[dtype]
  let view = new Uint8Array()
  let origin = 0
  /** Growing may move the memory, and makes its buffer another one: only then is it looked for again. */
  const locate = () => {
    const { buffer } = memory
    if (view.buffer === buffer) return
    view = new Uint8Array(buffer)
    origin = library.addressOf(view)
  }
  return {
    gemm(transposeA, transposeB, m, n, k, a, leadingA, b, leadingB, beta, c, leadingC) {
      locate()
      const [from, other, to] = [origin + a, origin + b, origin + c]
      gemm(transposeA, transposeB, m, n, k, from, leadingA, other, leadingB, beta, to, leadingC)
    },
    gemv(transpose, rows, columns, a, x, y) {
      locate()
      // Told to overwrite y, some versions of OpenBLAS multiply it by 0 instead, and a NaN that lay there stays.
      view.fill(0, y, y + (transpose ? columns : rows) * bytes)
      gemv(transpose, rows, columns, origin + a, origin + x, origin + y)
    },
  }
}
