// Conv and its gradients as products of matrices, block by block: rows of windows are made, multiplied while they are in the cache, and forgotten.
import { dtypes } from '@shoal/core'
import type { HostKernel } from '@shoal/kernels-cpu'
import type { Products } from '../library.ts'
import { matmulKernel } from '../matmul.ts'
import { boxBytes, columnsOn, type Columns } from './columns.ts'
import { type ConvOp, elementsSeen, isBorderless, isPointwise, positions, type Windows } from './windows.ts'

/** Bytes of the rows of one block: few enough for a cache, and enough rows for the product to run at full speed. */
const blockBytes = 512 * 1024
/** Fewer rows than this would leave the product slow, however long they are. */
const leastRows = 64

/** The kernel of a convolution without groups, or of one of its gradients. */
export function convKernel(
  op: ConvOp,
  windows: Windows,
  dtype: 'float32' | 'float64',
  memory: WebAssembly.Memory,
  products: Products,
): HostKernel {
  if (isPointwise(windows)) return pointwiseKernel(op, windows, products)
  const { gemm } = products
  const { bytes } = dtypes[dtype]
  const { made } = windows
  const count = positions(windows)
  const seen = elementsSeen(windows)
  const block = Math.min(count, Math.max(leastRows, Math.floor(blockBytes / (seen * bytes))))
  const boxed = isBorderless(windows) ? 0 : Math.ceil(boxBytes(windows, dtype) / 64) * 64

  // Written when it is first needed: what is planned does not always run.
  let written: Columns | undefined
  const columns = (): Columns => (written ??= columnsOn(memory, windows, dtype))
  /** Where the images lie in their borders. */
  const embedded = (x: number, scratch: number): number => {
    if (boxed === 0) return x
    columns().clear(scratch)
    columns().embed(x, scratch)
    return scratch
  }
  /** Calls `body` for every block of windows: how many there are, which is the first, and where those of y begin. */
  const overBlocks = (y: number, body: (height: number, begin: number, y: number) => void): void => {
    for (let begin = 0; begin < count; begin += block)
      body(Math.min(block, count - begin), begin, y + begin * made * bytes)
  }

  const runs: Record<ConvOp, (first: number, second: number, answer: number, scratch: number) => void> = {
    Conv(x, filter, y, scratch) {
      const [boxes, rows] = [embedded(x, scratch), scratch + boxed]
      overBlocks(y, (height, begin, to) => {
        columns().gather(boxes, rows, begin, begin + height)
        gemm(false, false, height, made, seen, rows, seen, filter, made, 0, to, made)
      })
    },
    ConvBackpropFilter(x, dy, gradient, scratch) {
      const [boxes, rows] = [embedded(x, scratch), scratch + boxed]
      overBlocks(dy, (height, begin, from) => {
        columns().gather(boxes, rows, begin, begin + height)
        gemm(true, false, seen, made, height, rows, seen, from, made, begin === 0 ? 0 : 1, gradient, made)
      })
    },
    ConvBackpropInput(filter, dy, gradient, scratch) {
      const [boxes, rows] = [boxed === 0 ? gradient : scratch, scratch + boxed]
      columns().clear(boxes)
      overBlocks(dy, (height, begin, from) => {
        gemm(false, true, height, seen, made, from, made, filter, made, 0, rows, seen)
        columns().scatter(boxes, rows, begin, begin + height)
      })
      if (boxed > 0) columns().crop(gradient, boxes)
    },
  }
  return {
    workspaceBytes: boxed + block * seen * bytes,
    run: ([first, second, answer, scratch]) => runs[op](first!, second!, answer!, scratch!),
  }
}

/** Where every window is one pixel, the images are the rows. */
function pointwiseKernel(op: ConvOp, windows: Windows, products: Products): HostKernel {
  const [count, seen, made] = [positions(windows), elementsSeen(windows), windows.made]
  const alone = { a: Float64Array.of(0), b: Float64Array.of(0), c: Float64Array.of(0) }
  if (op === 'Conv')
    return matmulKernel(
      { ...alone, m: count, n: made, k: seen, transposeA: false, transposeB: false },
      products,
    )
  if (op === 'ConvBackpropFilter')
    return matmulKernel(
      { ...alone, m: seen, n: made, k: count, transposeA: true, transposeB: false },
      products,
    )
  const { workspaceBytes, run } = matmulKernel(
    { ...alone, m: count, n: seen, k: made, transposeA: false, transposeB: true },
    products,
  )
  return { workspaceBytes, run: ([filter, dy, gradient]) => run([dy!, filter!, gradient!]) }
}
