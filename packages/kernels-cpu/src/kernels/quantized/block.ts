// The innermost product: a block of rows of activations by rows of weights, every stride a constant of the code.
import { float32, zero } from '../../gemm/element.ts'
import {
  type Func,
  type FunctionBuilder,
  i32,
  i32x4,
  type Local,
  type ModuleBuilder,
  type Value,
  v128,
} from '../../wasm/index.ts'
import { across } from './across.ts'
import { type ProductName, products } from './product.ts'

/** A loop around a run of bytes: x moves on by `step` bytes after each round; the weights go on where they are. */
export interface Level {
  readonly count: number
  readonly step: number
}

/** A block. Strides are in bytes. */
export interface BlockSpec {
  readonly product: ProductName
  readonly rows: number
  /** Rows of weights, each a column of the result: 1 to 4. */
  readonly columns: number
  /** Bytes that lie side by side in x and in the weights. */
  readonly run: number
  /** Loops around a run, outermost first: the taps of a convolution. */
  readonly levels: readonly Level[]
  readonly xRow: number
  readonly wRow: number
  readonly yRow: number
}

/** Parameters: addresses of x, of the weights and of the result. */
export type Block = Func<readonly ['i32', 'i32', 'i32'], 'none'>

/** Steps of a run in one round of its loop. */
const unroll = 2

/** The function of a block; the same one for an equal spec. */
export function blockFunction(module: ModuleBuilder, spec: BlockSpec): Block {
  return module.once(`quantized ${JSON.stringify(spec)}`, () =>
    module.define(`quantized_${spec.rows}x${spec.columns}`, ['i32', 'i32', 'i32'], 'none', (f, x, w, y) =>
      writeBlock(f, spec, x, w, y),
    ),
  )
}

type Address = Local<'i32'>

function writeBlock(f: FunctionBuilder<'none'>, spec: BlockSpec, x: Address, w: Address, y: Address): void {
  const { rows, columns, xRow, wRow, yRow } = spec
  const { add, activate } = products[spec.product]
  const locals = (count: number) => Array.from({ length: count }, () => f.local('v128'))
  const sums = Array.from({ length: rows }, () => locals(columns))
  const line = locals(columns)
  const activations = f.local('v128')
  const none = f.constant(zero)
  walk(f, spec, x, w, (readX, readW) => {
    line.forEach((vector, j) => f.set(vector, readW(j * wRow)))
    sums.forEach((row, i) => {
      f.set(activations, activate(readX(i * xRow), none))
      row.forEach((sum, j) => f.set(sum, add(sum, activations, line[j]!)))
    })
  })
  sums.forEach((row, i) => {
    f.set(activations, across(f, row, i32x4.add))
    f.do(...float32.store(y, activations, columns, i * yRow))
  })
}

type Read = (offset: number) => Value<'v128'>

/** Calls `multiply` for every step of every run, with what reads x and the weights there at an offset. */
function walk(
  f: FunctionBuilder<'none'>,
  { product, run, levels }: BlockSpec,
  x: Address,
  w: Address,
  multiply: (readX: Read, readW: Read) => void,
): void {
  const { step, load, loadPart, from } = products[product]
  const whole = Math.floor(run / step)
  const rest = run % step
  const steps = (count: number) => {
    for (let u = 0; u < count; u++)
      multiply(
        (offset) => load(x, offset + u * step),
        (offset) => load(w, offset + u * step),
      )
  }
  const advance = (bytes: number) => {
    f.set(x, i32.add(x, bytes))
    f.set(w, i32.add(w, bytes))
  }
  const oneRun = () => {
    f.forRange(0, Math.floor(whole / unroll), 1, () => {
      steps(unroll)
      advance(unroll * step)
    })
    steps(whole % unroll)
    advance((whole % unroll) * step)
    if (rest === 0) return
    if (whole === 0) {
      multiply(
        (offset) => loadPart(x, rest, offset),
        (offset) => loadPart(w, rest, offset),
      )
      return advance(rest)
    }
    // A whole step that ends with the run: what was multiplied before is left out of x.
    const fresh = f.constant(from(step - rest))
    advance(rest - step)
    multiply(
      (offset) => v128.and(load(x, offset), fresh),
      (offset) => load(w, offset),
    )
    advance(step)
  }
  const nest = ([level, ...inner]: readonly Level[]): void => {
    if (!level) return oneRun()
    f.forRange(0, level.count, 1, () => {
      const next = f.let(i32.add(x, level.step))
      nest(inner)
      f.set(x, next)
    })
  }
  nest(levels)
}
