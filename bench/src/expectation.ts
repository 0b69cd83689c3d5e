// What a work must give, computed by the reference device: of large works a part that says as much about all of it.
import { cast, reference, Session } from '@shoal/core'
import { computed, resident } from './contenders/shoalTasks.ts'
import type { Computed } from './contenders/shoalTasks.ts'
import { shoal } from './contenders/shoal.ts'
import type { Host } from './values.ts'
import { operandsOf } from './values.ts'
import { permuted } from './layout.ts'
import type { Work } from './work.ts'
import { dtypeOf } from './work.ts'

/** Values that a result must have, and where in it they stand. */
export interface Expectation {
  readonly values: Float32Array
  pick(result: Float32Array): Float32Array
  /** The largest difference that is no fault. */
  readonly tolerance: number
}

/** A batch that the interpreter can train on in a moment. */
const batchForReference = 4

/** The work that is checked in place of this one: training with a small batch. */
export const checkedWork = (work: Work): Work =>
  work.kind === 'train' ? { ...work, batch: Math.min(work.batch, batchForReference) } : work

/** What the reference device makes of a work. */
export async function expectation(work: Work): Promise<Expectation> {
  if (work.kind === 'train' || work.kind === 'infer' || work.kind === 'adds') {
    const side = await shoal({ name: 'reference', version: '', device: reference }).prepare(work)
    const values = await side!.result()
    await side!.close()
    return { values, pick: (result) => result, tolerance: 1e-3 * largest(values) }
  }
  const { operands, task, pick } = partOf(work)
  const values = await onReference(task, operands)
  // Sums of many numbers round with every addition, in another order everywhere.
  const tolerance = work.kind === 'gatedSum' ? 1e-7 * work.length : share[dtypeOf(work)] * largest(values)
  return { values, pick, tolerance }
}

/** Differences that are no fault, as shares of the largest value: float16 has 11 bits, of which the last is anybody's. */
const share = { float32: 1e-4, float16: 2e-3 } as const

async function onReference(
  task: Computed,
  operands: { readonly [name: string]: Host },
): Promise<Float32Array> {
  await using session = new Session({ devices: [reference()] })
  const answer = cast(computed(task, resident(operands, dtypeOf(task))), { to: 'float32' })
  await session.initialize(answer)
  return (await session.run(answer)).data as Float32Array
}

const largest = (values: Float32Array): number => values.reduce((most, v) => Math.max(most, Math.abs(v)), 0)

interface Part {
  readonly task: Computed
  readonly operands: { readonly [name: string]: Host }
  pick(result: Float32Array): Float32Array
}

function partOf(task: Computed): Part {
  const operands = operandsOf(task)
  const prefix = (part: Omit<Part, 'pick'>, length: number): Part => ({
    ...part,
    pick: (result) => result.subarray(0, length),
  })
  switch (task.kind) {
    case 'matmul': {
      const rows = Math.min(task.n, 8)
      const a = operands['a']!
      const part = firstRows(task.transposeA ? permuted(a, [1, 0]) : a, rows)
      return prefix(
        { task, operands: { ...operands, a: task.transposeA ? permuted(part, [1, 0]) : part } },
        rows * task.n,
      )
    }
    case 'multiplyAdd': {
      const length = Math.min(task.length, 100_000)
      const firsts = Object.entries(operands).map(([name, host]) => [name, firstRows(host, length)])
      return prefix({ task, operands: Object.fromEntries(firsts) as Part['operands'] }, length)
    }
    case 'depthwise':
      return prefix(
        { task: { ...task, batch: 1 }, operands: { ...operands, x: firstRows(operands['x']!, 1) } },
        task.size ** 2 * task.channels,
      )
    case 'conv': {
      const { pass, size, channels, filters } = task
      if (pass === 'toFilter') {
        const some = 2
        return {
          task: { ...task, filters: some },
          operands: { ...operands, dy: firstColumns(operands['dy']!, some) },
          pick: (result) => result.filter((_, i) => i % filters < some),
        }
      }
      const images = pass === 'forward' ? 'x' : 'dy'
      return prefix(
        { task: { ...task, batch: 1 }, operands: { ...operands, [images]: firstRows(operands[images]!, 1) } },
        size ** 2 * (pass === 'forward' ? filters : channels),
      )
    }
    case 'softmax':
    case 'layerNorm': {
      const rows = Math.min(task.rows, 100)
      const part = { task: { ...task, rows }, operands: { ...operands, x: firstRows(operands['x']!, rows) } }
      return prefix(part, rows * task.columns)
    }
    case 'sum': {
      // Each sum is as long as in the whole.
      const some = Math.min(task.axis === 0 ? task.columns : task.rows, 100)
      const x = task.axis === 0 ? firstColumns(operands['x']!, some) : firstRows(operands['x']!, some)
      const [rows, columns] = x.shape as [number, number]
      return prefix({ task: { ...task, rows, columns }, operands: { x } }, some)
    }
    case 'gatedSum':
      return { task, operands, pick: (result) => result }
    default:
      return task satisfies never
  }
}

function firstRows({ shape, data }: Host, rows: number): Host {
  const each = data.length / shape[0]!
  return { shape: [rows, ...shape.slice(1)], data: data.slice(0, rows * each) }
}

function firstColumns({ shape, data }: Host, columns: number): Host {
  const all = shape.at(-1)!
  return { shape: [...shape.slice(0, -1), columns], data: data.filter((_, i) => i % all < columns) }
}

/** What is wrong with a result; undefined when nothing is. */
export function faultOf({ values, pick, tolerance }: Expectation, result: Float32Array): string | undefined {
  const part = pick(result)
  if (part.length !== values.length) return `has ${part.length} values where ${values.length} are expected`
  const worst = values.findIndex((value, i) => !(Math.abs(part[i]! - value) <= tolerance))
  return worst < 0 ? undefined : `is ${part[worst]} at ${worst} where ${values[worst]} is expected`
}
