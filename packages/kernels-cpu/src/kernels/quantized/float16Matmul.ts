// Float16MatMul: weights are widened in registers where few rows meet them, and once into scratch memory where many do.
import type { ConcreteType, Signature } from '@shoal/core'
import { sizeOf } from '@shoal/core'
import { float32 } from '../../gemm/element.ts'
import type { Stage } from '../../stage.ts'
import {
  call,
  f32x4,
  type Func,
  type FunctionBuilder,
  i32,
  type Local,
  type ModuleBuilder,
  v128,
} from '../../wasm/index.ts'
import { type CompiledKernel, type KernelDef, type KernelOptions, signatureKey } from '../kernelDef.ts'
import { matmul } from '../matmul.ts'
import { across } from './across.ts'
import { loadHalves, widen } from './float16.ts'

type Address = Local<'i32'>

/** With more rows than these, widening all weights first costs less than widening them again for every two rows. */
const fewRows = 8
/** Columns of a unit where there are few rows. */
const columnsTogether = 16
/** Float16 of a vector, the steps of k. */
const lanes = 8
/** Weights that are widened as a unit. */
const widenedTogether = 4096

/** x float32 [..., m, k] · weights float16 [n, k] → float32 [..., m, n]. */
export const float16Matmul: KernelDef = {
  op: 'Float16MatMul',
  supports: ({ inputs, outputs }) => [...inputs, ...outputs].every(({ shape }) => sizeOf(shape) > 0),
  compile(signature, options) {
    const weights = signature.inputs[1] as ConcreteType
    const [n, k] = weights.shape as readonly [number, number]
    const m = sizeOf(signature.outputs[0]!.shape) / n
    return m <= fewRows
      ? inRegisters(signature, options, { m, n, k })
      : inScratch(signature, options, { m, n, k })
  },
}

interface Sizes {
  readonly m: number
  readonly n: number
  readonly k: number
}

function inRegisters(signature: Signature, options: KernelOptions, { m, n, k }: Sizes): CompiledKernel {
  const count = Math.ceil(n / columnsTogether)
  const last = n - (count - 1) * columnsTogether
  const stage = (module: ModuleBuilder): Stage => {
    const block = (rows: number, columns: number) =>
      module.once(`float16 ${rows}x${columns} ${n} ${k} ${options.relaxed}`, () =>
        module.define(`float16_${rows}x${columns}`, ['i32', 'i32', 'i32'], 'none', (f, x, w, y) =>
          writeBlock(f, options.relaxed, rows, columns, { m, n, k }, x, w, y),
        ),
      )
    const part = (f: FunctionBuilder<'none'>, width: number, x: Address, w: Address, y: Address) => {
      for (let column = 0; column < width; column += 4)
        for (let row = 0; row < m; row += 2) {
          const target = block(Math.min(2, m - row), Math.min(4, width - column))
          const [at, to] = [i32.add(x, row * 4 * k), i32.add(y, (row * n + column) * 4)]
          f.do(call(target, at, i32.add(w, column * 2 * k), to))
        }
    }
    const types = ['i32', 'i32', 'i32', 'i32', 'i32'] as const
    const func = module.define('float16_columns', types, 'none', (f, x, w, y, begin, end) => {
      f.forRange(begin, end, 1, (unit) => {
        const wAt = f.let(i32.add(w, i32.mul(unit, columnsTogether * 2 * k)))
        const yAt = f.let(i32.add(y, i32.mul(unit, columnsTogether * 4)))
        f.if(
          i32.eq(unit, count - 1),
          () => part(f, last, x, wAt, yAt),
          () => part(f, Math.min(n, columnsTogether), x, wAt, yAt),
        )
      })
    })
    const work = (m * columnsTogether * k) / 4
    return { func, units: count, work, ...(m === 1 ? { finishes: columnsTogether } : {}) }
  }
  return {
    workspaceBytes: 0,
    write: (module) => module.once(signatureKey('Float16MatMul', signature, options), () => [stage(module)]),
  }
}

function writeBlock(
  f: FunctionBuilder<'none'>,
  relaxed: boolean,
  rows: number,
  columns: number,
  { n, k }: Sizes,
  x: Address,
  w: Address,
  y: Address,
): void {
  const locals = (count: number) => Array.from({ length: count }, () => f.local('v128'))
  const sums = Array.from({ length: rows }, () => locals(columns))
  const [first, second] = [locals(rows), locals(rows)]
  const [bits, wide] = [f.local('v128'), f.local('v128')]
  const step = (count: number) => {
    const rest = count - 4
    first.forEach((vector, i) => f.set(vector, float32.load(x, Math.min(4, count), i * 4 * k)))
    if (rest > 0) second.forEach((vector, i) => f.set(vector, float32.load(x, rest, i * 4 * k + 16)))
    for (let j = 0; j < columns; j++) {
      f.set(bits, loadHalves(w, count, j * 2 * k))
      const [low, high] = widen(f, bits)
      const multiply = (weights: typeof low, activations: readonly Local<'v128'>[]) => {
        f.set(wide, weights)
        sums.forEach((row, i) => f.set(row[j]!, float32.multiplyAdd(activations[i]!, wide, row[j]!, relaxed)))
      }
      multiply(low, first)
      if (rest > 0) multiply(high, second)
    }
  }
  f.forRange(0, Math.floor(k / lanes), 1, () => {
    step(lanes)
    f.set(x, i32.add(x, lanes * 4))
    f.set(w, i32.add(w, lanes * 2))
  })
  if (k % lanes > 0) step(k % lanes)
  sums.forEach((row, i) => {
    f.set(wide, across(f, row, f32x4.add))
    f.do(...float32.store(y, wide, columns, i * 4 * n))
  })
}

/** All weights as float32 in scratch memory, and the product of float32 on them. */
function inScratch(signature: Signature, options: KernelOptions, { n, k }: Sizes): CompiledKernel {
  const widened = Math.ceil((n * k * 4) / 64) * 64
  const product = matmul.compile(
    {
      inputs: [signature.inputs[0]!, { dtype: 'float32', shape: [n, k] }],
      outputs: signature.outputs,
      attrs: { transposeA: false, transposeB: true },
    },
    options,
  )
  return {
    workspaceBytes: widened + product.workspaceBytes,
    write: (module) =>
      module.once(signatureKey('Float16MatMul', signature, options), () => [
        widenStage(module, n * k),
        ...product.write(module).map((stage) => onWidened(module, stage, widened)),
      ]),
  }
}

/** A stage of the product, its weights and scratch memory where this kernel has them. */
function onWidened(module: ModuleBuilder, stage: Stage, widened: number): Stage {
  const types = ['i32', 'i32', 'i32', 'i32', 'i32', 'i32'] as const
  const inner = stage.func as Func<readonly 'i32'[], 'none'>
  const func = module.define(`${inner.name}_float16`, types, 'none', (f, x, _, y, scratch, begin, end) => {
    const rest = inner.params.length > 5 ? [i32.add(scratch, widened)] : []
    f.do(call(inner, x, scratch, y, ...rest, begin, end))
  })
  return { ...stage, func }
}

/** Writes `size` weights as float32 to the beginning of scratch memory. */
function widenStage(module: ModuleBuilder, size: number): Stage {
  const types = ['i32', 'i32', 'i32', 'i32', 'i32', 'i32'] as const
  const count = Math.ceil(size / widenedTogether)
  const func = module.define('float16_widen', types, 'none', (f, _x, w, _y, scratch, begin, end) => {
    const bits = f.local('v128')
    const [from, to] = [f.local('i32'), f.local('i32')]
    const step = (present: number) => {
      f.set(bits, loadHalves(from, present, 0))
      // The last vector may spill: scratch memory is cut in whole lines.
      widen(f, bits).forEach((half, i) => f.do(v128.store(to, half, i * 16)))
    }
    const vectors = (number: number) =>
      f.forRange(0, number, 1, () => {
        step(lanes)
        f.set(from, i32.add(from, lanes * 2))
        f.set(to, i32.add(to, lanes * 4))
      })
    f.forRange(begin, end, 1, (unit) => {
      f.set(from, i32.add(w, i32.mul(unit, widenedTogether * 2)))
      f.set(to, i32.add(scratch, i32.mul(unit, widenedTogether * 4)))
      const rest = size - (count - 1) * widenedTogether
      f.if(
        i32.eq(unit, count - 1),
        () => {
          vectors(Math.floor(rest / lanes))
          if (rest % lanes > 0) step(rest % lanes)
        },
        () => vectors(widenedTogether / lanes),
      )
    })
  })
  return { func, units: count, work: Math.min(size, widenedTogether) / 4 }
}
