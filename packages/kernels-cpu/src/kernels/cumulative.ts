// Cumulative: totals that run along an axis, for several lines at once so that no addition waits for the one before.
import type { Signature } from '@shoal/core'
import { dtypes, normalizeAxis, sizeOf } from '@shoal/core'
import type { Stage } from '../stage.ts'
import { call, i32, type Local, type ModuleBuilder, select } from '../wasm/index.ts'
import { type KernelDef, type KernelOptions, signatureKey } from './kernelDef.ts'
import { type Combination, type Lines, type Running, writeLines } from './runningTotal.ts'

/** Lines that run side by side: rows, or vectors of neighbouring columns. */
const together = 4

/** Running sums, products, extremes or log-sum-exps along an axis. Sums and products of floats are accumulated in float64, as in the definition. */
export const cumulative: KernelDef = {
  op: 'Cumulative',
  supports: () => true,
  compile: (signature, options) => ({
    workspaceBytes: 0,
    write: (module) =>
      module.once(signatureKey('Cumulative', signature, options), () => {
        const { shape } = signature.inputs[0]!
        const axis = normalizeAxis(Number(signature.attrs['axis']), shape.length)
        const plan = planOf(module, signature, options, axis)
        const lines = sizeOf(shape.slice(0, axis))
        return [plan.step === 1 ? alongRows(plan, lines) : alongColumns(plan, lines)]
      }),
  }),
}

type Plan = Running & { readonly module: ModuleBuilder }

function planOf(
  module: ModuleBuilder,
  { inputs, attrs }: Signature,
  options: KernelOptions,
  axis: number,
): Plan {
  const { dtype, shape } = inputs[0]!
  return {
    module,
    options,
    dtype,
    size: shape[axis]!,
    step: sizeOf(shape.slice(axis + 1)),
    combine: attrs['combine'] as Combination,
    exclusive: attrs['exclusive'] === true,
    reverse: attrs['reverse'] === true,
  }
}

/** Lines whose elements are neighbours: `together` of them are a unit. */
function alongRows(plan: Plan, lines: number): Stage {
  const { module, dtype, size } = plan
  const row = size * dtypes[dtype].bytes
  const four = writeLines(module, plan, { count: together, apart: row, vector: false })
  const one = writeLines(module, plan, { count: 1, apart: 0, vector: false })
  const func = module.define(
    'cumulative_rows',
    ['i32', 'i32', 'i32', 'i32'],
    'none',
    (f, x, y, begin, end) => {
      const first = f.let(i32.mul(begin, together))
      const beyond = f.let(i32.mul(end, together))
      const last = f.let(select(i32.lt_u(beyond, lines), beyond, i32.const(lines)))
      const whole = f.let(i32.and(last, -together))
      const at = (base: Local<'i32'>, line: Local<'i32'>) => i32.add(base, i32.mul(line, row))
      f.forRange(first, whole, together, (line) => f.do(call(four, at(x, line), at(y, line))))
      f.forRange(whole, last, 1, (line) => f.do(call(one, at(x, line), at(y, line))))
    },
  )
  return { func, units: Math.ceil(lines / together), work: 2 * together * size, finishes: together * size }
}

/** Lines that stand beside each other: a unit is a cache line of columns. */
function alongColumns(plan: Plan, count: number): Stage {
  const { module, dtype, size, step } = plan
  const { bytes } = dtypes[dtype]
  const block = 4 * together
  const blocks = Math.ceil(step / block)
  const many = writeLines(module, plan, { count: together, apart: 4 * bytes, vector: true })
  const four = writeLines(module, plan, { count: 1, apart: 0, vector: true })
  const one = writeLines(module, plan, { count: 1, apart: 0, vector: false })
  const func = module.define(
    'cumulative_columns',
    ['i32', 'i32', 'i32', 'i32'],
    'none',
    (f, x, y, begin, end) => {
      f.forRange(begin, end, 1, (unit) => {
        const start = f.let(i32.mul(i32.div_u(unit, blocks), size * step))
        const column = f.let(i32.mul(i32.rem_u(unit, blocks), block))
        const run = (lines: Lines) => {
          const offset = f.let(i32.mul(i32.add(start, column), bytes))
          f.do(call(lines, i32.add(x, offset), i32.add(y, offset)))
        }
        f.if(
          i32.le_u(i32.add(column, block), step),
          () => run(many),
          () => {
            f.while(i32.le_u(i32.add(column, 4), step), () => {
              run(four)
              f.set(column, i32.add(column, 4))
            })
            f.while(i32.lt_u(column, step), () => {
              run(one)
              f.set(column, i32.add(column, 1))
            })
          },
        )
      })
    },
  )
  return { func, units: count * blocks, work: 2 * Math.min(step, block) * size }
}
