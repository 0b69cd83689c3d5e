// Qr by Householder's reflections, a row of the matrices at a time.
import type { DType, Signature } from '@shoal/core'
import { dtypes, sizeOf } from '@shoal/core'
import type { Stage } from '../../stage.ts'
import { call, f64, i32, memory, type ModuleBuilder, select } from '../../wasm/index.ts'
import { type KernelDef, type KernelOptions, signatureKey } from '../kernelDef.ts'
import { type Shares, sharesOf } from '../shares.ts'
import { type Address, copyElements, subtractRow, wide, wideAt } from './rows.ts'

/** a = q·r with orthonormal columns of q and an upper triangle r, in float64. */
export const qr: KernelDef = {
  op: 'Qr',
  supports: () => true,
  compile(signature, options) {
    const plan = planOf(signature)
    return {
      workspaceBytes: plan.tasks * plan.scratch,
      write: (module) =>
        module.once(signatureKey('Qr', signature, options), () => [writeQr(module, plan, options)]),
    }
  },
}

interface Plan extends Shares {
  readonly dtype: DType
  readonly batch: number
  readonly m: number
  readonly n: number
  /** Columns of q, which are as many as rows of r. */
  readonly inner: number
  readonly reflections: number
  /** Bytes of one task, never 0: for one item at a time the matrix as it becomes r, then q, the vectors of the reflections, and a row of dot products; all float64. */
  readonly scratch: number
}

function planOf({ inputs, outputs }: Signature): Plan {
  const { dtype, shape } = inputs[0]!
  const [m, n] = shape.slice(-2) as unknown as readonly [number, number]
  const inner = outputs[0]!.shape.at(-1)!
  const reflections = Math.min(m, n)
  const elements = m * n + m * inner + reflections * m + Math.max(n, inner, 1)
  const batch = sizeOf(shape.slice(0, -2))
  return {
    ...sharesOf(batch),
    dtype,
    batch,
    m,
    n,
    inner,
    reflections,
    scratch: Math.ceil((elements * wide) / 64) * 64,
  }
}

function writeQr(module: ModuleBuilder, plan: Plan, options: KernelOptions): Stage {
  const { dtype, batch, m, n, inner, reflections, scratch, tasks, share } = plan
  const { bytes } = dtypes[dtype]
  const widen = copyElements(module, dtype, 'float64')
  const narrow = copyElements(module, 'float64', dtype)
  const vector = writeVector(module, plan)
  const reflectA = writeReflect(module, m, n, options)
  const reflectQ = writeReflect(module, m, inner, options)
  const types = ['i32', 'i32', 'i32', 'i32', 'i32', 'i32'] as const
  const func = module.define('qr', types, 'none', (f, a, q, r, workspace, begin, end) => {
    const matrix = f.let(i32.add(workspace, i32.mul(begin, scratch)))
    const basis = f.let(i32.add(matrix, m * n * wide))
    const vectors = f.let(i32.add(basis, m * inner * wide))
    const dots = f.let(i32.add(vectors, reflections * m * wide))
    const beyond = f.let(i32.mul(end, share))
    const last = select(i32.lt_u(beyond, batch), beyond, i32.const(batch))
    f.forRange(i32.mul(begin, share), last, 1, (item) => {
      const vectorAt = (k: Address) => f.let(i32.add(vectors, i32.mul(k, m * wide)))
      f.do(call(widen, i32.add(a, i32.mul(item, m * n * bytes)), matrix, m * n, bytes, wide))
      f.do(memory.fill(vectors, 0, reflections * m * wide))
      f.forRange(0, reflections, 1, (k) => {
        const v = vectorAt(k)
        f.do(call(vector, matrix, v, k), call(reflectA, matrix, v, dots, k))
      })
      f.do(memory.fill(basis, 0, m * inner * wide))
      f.forRange(0, Math.min(m, inner), 1, (i) => f.do(f64.store(wideAt(basis, i32.mul(i, inner + 1)), 1)))
      f.forRange(0, reflections, 1, (done) => {
        const k = f.let(i32.sub(reflections - 1, done))
        f.do(call(reflectQ, basis, vectorAt(k), dots, k))
      })
      f.do(call(narrow, basis, i32.add(q, i32.mul(item, m * inner * bytes)), m * inner, wide, bytes))
      const upper = f.let(i32.add(r, i32.mul(item, inner * n * bytes)))
      f.do(memory.fill(upper, 0, inner * n * bytes))
      f.forRange(0, reflections, 1, (i) => {
        const first = f.let(i32.mul(i, n + 1))
        f.do(
          call(
            narrow,
            wideAt(matrix, first),
            i32.add(upper, i32.mul(first, bytes)),
            i32.sub(n, i),
            wide,
            bytes,
          ),
        )
      })
    })
  })
  return { func, units: tasks, work: share * m * n * Math.max(n, inner) }
}

/** Writes the unit vector v of the reflection I − 2vvᵀ that makes column k 0 below the diagonal: addresses of the matrix and of v, and k. v stays 0 where the column is that already. */
function writeVector(module: ModuleBuilder, { m, n }: Plan) {
  return module.define('qr_vector', ['i32', 'i32', 'i32'], 'none', (f, matrix, v, k) => {
    const at = (i: Address) => wideAt(matrix, i32.add(i32.mul(i, n), k))
    const tail = f.let(f64.const(0))
    f.forRange(i32.add(k, 1), m, 1, (i) => {
      const x = f.let(f64.load(at(i)))
      f.do(f64.store(wideAt(v, i), x))
      f.set(tail, f64.add(tail, f64.mul(x, x)))
    })
    f.if(f64.ne(tail, 0), () => {
      const head = f.let(f64.load(at(k)))
      const norm = f.let(f64.sqrt(f64.add(f64.mul(head, head), tail)))
      // The sign that does not cancel.
      f.set(head, f64.add(head, select(f64.lt(head, 0), f64.neg(norm), norm)))
      f.do(f64.store(wideAt(v, k), head))
      const length = f.let(f64.sqrt(f64.add(f64.mul(head, head), tail)))
      f.forRange(k, m, 1, (i) => {
        const place = f.let(wideAt(v, i))
        f.do(f64.store(place, f64.div(f64.load(place), length)))
      })
    })
  })
}

/** Writes the reflection of a matrix [m, columns] from row and column k on: addresses of the matrix, of v and of room for a row, and k. */
function writeReflect(module: ModuleBuilder, m: number, columns: number, options: KernelOptions) {
  const subtract = subtractRow(module, options)
  return module.define('qr_reflect', ['i32', 'i32', 'i32', 'i32'], 'none', (f, matrix, v, dots, k) => {
    const count = f.let(i32.sub(columns, k))
    const row = (i: Address) => wideAt(matrix, i32.add(i32.mul(i, columns), k))
    const component = (i: Address) => f64.load(wideAt(v, i))
    f.do(memory.fill(dots, 0, i32.mul(count, wide)))
    f.forRange(k, m, 1, (i) => f.do(call(subtract, dots, row(i), f64.neg(component(i)), count)))
    f.forRange(k, m, 1, (i) => f.do(call(subtract, row(i), dots, f64.mul(component(i), 2), count)))
  })
}
