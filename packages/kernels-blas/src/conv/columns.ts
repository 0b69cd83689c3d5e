// Windows as rows of a matrix: functions that gather what windows see into rows, and that add rows back to where they were seen.
import { memory as region, ModuleBuilder } from '@shoal/kernels-cpu/wasm'
import { addRun, copyRun, elements, overLines, overRuns } from './runs.ts'
import { volume, type Windows } from './windows.ts'

/** Functions on one memory; addresses are bytes from its beginning, positions count the windows of all images. */
export interface Columns {
  /** Fills boxes with zeros. */
  clear(boxes: number): void
  /** Copies images into their boxes. */
  embed(images: number, boxes: number): void
  /** Copies images out of their boxes. */
  crop(images: number, boxes: number): void
  /** Writes what windows [begin, end) see, a row for each, pixel after pixel. */
  gather(boxes: number, rows: number, begin: number, end: number): void
  /** Adds rows to where windows [begin, end) see. */
  scatter(boxes: number, rows: number, begin: number, end: number): void
}

/** Bytes of all images in their boxes. */
export const boxBytes = ({ batch, box, seen }: Windows, dtype: 'float32' | 'float64'): number =>
  batch * volume(box) * seen * elements[dtype].bytes

/** Writes the functions for windows and their sizes, and links them to a memory. */
export function columnsOn(
  memory: WebAssembly.Memory,
  windows: Windows,
  dtype: 'float32' | 'float64',
): Columns {
  const element = elements[dtype]
  const line = windows.image[2] * windows.seen * element.bytes
  const module = new ModuleBuilder()
  const shared = typeof SharedArrayBuffer !== 'undefined' && memory.buffer instanceof SharedArrayBuffer
  module.importMemory({ module: 'env', name: 'memory', initial: 1, maximum: 65536, shared })
  const functions = [
    module.define('clear', ['i32'], 'none', (f, boxes) => {
      f.do(region.fill(boxes, 0, boxBytes(windows, dtype)))
    }),
    module.define('embed', ['i32', 'i32'], 'none', (f, images, boxes) => {
      overLines(f, windows, element.bytes, images, boxes, (inImage, inBox) => {
        f.do(region.copy(inBox, inImage, line))
      })
    }),
    module.define('crop', ['i32', 'i32'], 'none', (f, images, boxes) => {
      overLines(f, windows, element.bytes, images, boxes, (inImage, inBox) => {
        f.do(region.copy(inImage, inBox, line))
      })
    }),
    module.define('gather', ['i32', 'i32', 'i32', 'i32'], 'none', (f, boxes, rows, begin, end) => {
      overRuns(f, windows, element.bytes, boxes, rows, begin, end, (inBox, inRow, bytes) =>
        copyRun(f, element, bytes, inRow, inBox),
      )
    }),
    module.define('scatter', ['i32', 'i32', 'i32', 'i32'], 'none', (f, boxes, rows, begin, end) => {
      overRuns(f, windows, element.bytes, boxes, rows, begin, end, (inBox, inRow, bytes) =>
        addRun(f, element, bytes, inBox, inRow),
      )
    }),
  ]
  for (const func of functions) module.export(func)
  const { exports } = new WebAssembly.Instance(module.compile(), { env: { memory } })
  return exports as unknown as Columns
}
