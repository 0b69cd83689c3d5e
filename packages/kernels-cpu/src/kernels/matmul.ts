// MatMul of float32 and float64: one product of the size of a matrix, called for each matrix of the broadcast batches.
import type { ConcreteType, Size } from '@shoal/core'
import { dtypes, sizeOf, stridesOf } from '@shoal/core'
import { type MatmulSpec, planMatmul, type ProductStage } from '../gemm/index.ts'
import type { Stage } from '../stage.ts'
import {
  call,
  type FunctionBuilder,
  i32,
  type Local,
  type ModuleBuilder,
  select,
  type Value,
} from '../wasm/index.ts'
import { type KernelDef, signatureKey, weightsReplaced } from './kernelDef.ts'

/** [..., m, k] × [..., k, n] → [..., m, n]; leading axes broadcast. */
export const matmul: KernelDef = {
  op: 'MatMul',
  supports: ({ inputs }) => inputs.every(({ dtype }) => dtype === 'float32' || dtype === 'float64'),
  compile(signature, options) {
    const { inputs, outputs, attrs } = signature
    const [a, b] = inputs as readonly [ConcreteType, ConcreteType]
    const [m, n] = outputs[0]!.shape.slice(-2) as unknown as readonly [number, number]
    const transposeA = attrs['transposeA'] === true
    const transposeB = attrs['transposeB'] === true
    const k = a.shape.at(transposeA ? -2 : -1)!
    const all = outputs[0]!.shape.slice(0, -2)
    // Matrices that all meet the same one are one tall matrix.
    const tall =
      !transposeA && sizeOf(b.shape.slice(0, -2)) === 1 && sizeOf(a.shape.slice(0, -2)) === sizeOf(all)
    const batches = tall ? [] : all
    const spec: MatmulSpec = {
      element: a.dtype === 'float64' ? 'f64' : 'f32',
      m: tall ? m * sizeOf(all) : m,
      n,
      k,
      transposeA,
      transposeB,
    }
    // A constant matrix is prepared once, if all products share it.
    const constantB = signature.constants?.has(1) === true && sizeOf(b.shape.slice(0, -2)) === 1
    // Several products are units themselves.
    const threads = Math.ceil((options.threads ?? 1) / Math.max(1, sizeOf(batches)))
    const product = planMatmul(spec, { ...options, threads, constantB })
    const scratch = Math.ceil(product.workspaceBytes / 64) * 64
    const { bytes } = dtypes[a.dtype]
    const layout: BatchLayout = {
      batches,
      a: batchSteps(a, batches),
      b: batchSteps(b, batches),
      c: spec.m * n * bytes,
      workspace: scratch,
      prepared: product.prepared !== undefined,
    }
    const key = `${signatureKey('MatMul', signature, options)} ${product.key}`
    return {
      workspaceBytes: scratch * sizeOf(batches),
      write: (module) =>
        module.once(key, () =>
          product.write(module).map((stage) => overBatches(module, stage, spec.m * n, layout)),
        ),
      ...(product.prepared && {
        prepared: {
          bytes: product.prepared.bytes,
          replaces: weightsReplaced,
          write: (module) => [preparing(module, product.prepared!.write(module))],
        },
      }),
    }
  },
}

/** The stage that makes the prepared form of B: its parameters are the addresses of A, of B and of what is made. */
const preparing = (module: ModuleBuilder, { func, units, work, kind }: ProductStage): Stage => ({
  func: module.define(
    `${func.name}_once`,
    ['i32', 'i32', 'i32', 'i32', 'i32'],
    'none',
    (f, a, b, made, begin, end) => f.do(call(func, a, b, made, made, begin, end)),
  ),
  units,
  work: (work * costs[kind]) / units,
})

/** Where the operands of each product lie; steps are in bytes. */
interface BatchLayout {
  readonly batches: Size
  /** For each axis of the batches; 0 where the operand is broadcast. */
  readonly a: readonly number[]
  readonly b: readonly number[]
  readonly c: number
  readonly workspace: number
  /** B is given in its prepared form, as the last argument. */
  readonly prepared: boolean
}

/** Bytes from one matrix of an operand to the next along each axis of the batches. */
function batchSteps({ dtype, shape }: ConcreteType, batches: Size): number[] {
  const strides = stridesOf(shape)
  return batches.map((_, axis) => {
    const own = axis - batches.length + shape.length - 2
    return own < 0 || shape[own] === 1 ? 0 : strides[own]! * dtypes[dtype].bytes
  })
}

/** What an element of a stage costs next to one of a fused kernel: four multiply-adds go at once, and nothing is loaded or stored for most. */
const costs = { multiply: 1 / 8, pack: 1 } as const

/** A stage over the units of all products, made of one over the units of a single product, whose result has `elements`. */
function overBatches(
  module: ModuleBuilder,
  { func, units, work, kind, finishes }: ProductStage,
  elements: number,
  layout: BatchLayout,
): Stage {
  const optional = [layout.workspace > 0, layout.prepared].flatMap((is) => (is ? (['i32'] as const) : []))
  const parameters = ['i32', 'i32', 'i32', ...optional, 'i32', 'i32'] as const
  const products = sizeOf(layout.batches)
  const all = module.define(`${func.name}_all`, parameters, 'none', (f, ...locals) => {
    const [a, given, c] = locals as unknown as readonly [Address, Address, Address]
    const workspace = layout.workspace > 0 ? (locals[3] as Address) : f.local('i32')
    const [last, begin, end] = locals.slice(-3) as unknown as readonly [Address, Address, Address]
    const b = layout.prepared ? last : given
    if (units === 0) return
    if (layout.batches.length === 0) return f.do(call(func, a, b, c, workspace, begin, end))
    const beyond = f.let(i32.div_u(i32.add(end, units - 1), units))
    f.forRange(i32.div_u(begin, units), beyond, 1, (batch) => {
      const first = f.let(i32.mul(batch, units))
      const from = select(i32.gt_u(begin, first), i32.sub(begin, first), i32.const(0))
      const left = f.let(i32.sub(end, first))
      const to = select(i32.lt_u(left, units), left, i32.const(units))
      const at = (base: Address, steps: readonly number[]) =>
        i32.add(base, batchOffset(f, batch, layout.batches, steps))
      const cAt = i32.add(c, i32.mul(batch, layout.c))
      const own = i32.add(workspace, i32.mul(batch, layout.workspace))
      f.do(call(func, at(a, layout.a), at(b, layout.b), cAt, own, from, to))
    })
  })
  // The units of a product need not divide it evenly, those of several products must.
  const contiguous = finishes !== undefined && (products === 1 || finishes * units === elements)
  return {
    func: all,
    units: units * products,
    work: (work * costs[kind]) / Math.max(1, units),
    ...(contiguous && { finishes }),
  }
}

type Address = Local<'i32'>

function batchOffset(
  f: FunctionBuilder<'none'>,
  batch: Address,
  batches: Size,
  steps: readonly number[],
): Value<'i32'> {
  const strides = stridesOf(batches)
  const terms = steps.flatMap((step, axis) =>
    step === 0 ? [] : [i32.mul(i32.rem_u(i32.div_u(batch, strides[axis]!), batches[axis]!), step)],
  )
  return f.let(terms.reduce<Value<'i32'>>((sum, term) => i32.add(sum, term), i32.const(0)))
}
