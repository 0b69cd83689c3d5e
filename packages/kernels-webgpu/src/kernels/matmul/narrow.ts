// Products with few rows or columns, matrix by vector above all: the lanes of a workgroup share k, and the larger matrix is read once.
import { sizeOf } from '@shoal/core'
import { counters } from '../../lower/map.ts'
import type { Stage } from '../../stage.ts'
import type { Shader } from '../../wgsl/shader.ts'
import { multiplyAdd } from './arithmetic.ts'
import { inFours, type Operand, OperandReader, useOf } from './operand.ts'
import type { Product } from './product.ts'
import type { Result } from './result.ts'
import { lanesOf, narrowSides, type NarrowSchedule, narrowWidth } from './schedule.ts'

const components = ['x', 'y', 'z', 'w'] as const

/** Does a lane take four steps of k at a time? */
const readsFours = (wide: Operand): boolean => wide.along === 'inner' && inFours(wide)

/** The stage that computes all sums, or, if k is split, their parts. */
export function narrowStage(product: Product, schedule: NarrowSchedule, result: Result): Stage {
  const { narrow, wide } = narrowSides(product)
  const perGroup = schedule.columns * narrowWidth(wide)
  const grid = [...product.batches, schedule.splits, Math.ceil(wide.outer / perGroup)]
  return {
    buffers: [useOf(narrow, readsFours(wide) && narrow.along === 'inner'), useOf(wide, true), ...result.uses],
    groups: sizeOf(grid),
    lanes: lanesOf(schedule),
    write: (shader) => writeNarrow(shader, product, schedule, result, counters(shader, 'group', grid)),
  }
}

function writeNarrow(
  shader: Shader,
  product: Product,
  schedule: NarrowSchedule,
  result: Result,
  position: readonly string[],
): void {
  const { arithmetic, batches, k, m, n } = product
  const { narrow, wide } = narrowSides(product)
  const { across, columns, splits } = schedule
  const batch = position.slice(0, -2)
  const [split, group] = position.slice(-2) as [string, string]
  const width = narrowWidth(wide)
  const perGroup = columns * width
  // Lanes side by side read what lies side by side.
  const along = wide.along === 'inner'
  const share = shader.let(along ? `lane % ${across}` : `lane / ${columns}`)
  const column = shader.let(along ? `lane / ${across}` : `lane % ${columns}`)
  const readers = {
    narrow: new OperandReader(shader, shader.memory(0), narrow, arithmetic, batch),
    wide: new OperandReader(shader, shader.memory(1), wide, arithmetic, batch),
  }
  const type = width === 4 ? `vec4<${arithmetic.sum}>` : arithmetic.sum
  const sums = Array.from({ length: narrow.outer }, () => shader.variable(type))
  const steps = readsFours(wide) ? 4 : 1
  const part = Math.ceil(k / splits / steps) * steps
  const begin = split === '0' ? '0' : `${split} * ${part}`
  const end = split === '0' ? `${k}` : shader.let(`min(${begin} + ${part}, ${k})`)
  shader.loop(`${begin} + ${share} * ${steps}`, end, `${across * steps}`, (step) => {
    const at = shader.let(`${group} * ${perGroup} + ${width === 1 ? column : `${column} * 4`}`)
    if (steps === 4) {
      const weights = shader.let(readers.wide.four(at, `(${step} >> 2u)`, false))
      sums.forEach((sum, i) => {
        const values = shader.let(fourSteps(readers.narrow, narrow, `${i}`, step))
        for (const c of components)
          multiplyAdd(shader, arithmetic, sum, `${values}.${c}`, `${weights}.${c}`, 1)
      })
      return
    }
    const weights = shader.let(
      width === 4 ? readers.wide.four(step, `(${at} >> 2u)`, false) : readers.wide.one(at, step),
    )
    sums.forEach((sum, i) =>
      multiplyAdd(shader, arithmetic, sum, readers.narrow.one(`${i}`, step), weights, width),
    )
  })
  const shared = gather(shader, schedule, { type, sums, share, column })
  const number = batches.flatMap((_, axis) =>
    batch[axis] === '0' ? [] : [`${batch[axis]!} * ${sizeOf(batches.slice(axis + 1)) * m * n}`],
  )
  shader.loop('lane', `${sums.length * perGroup}`, `${across * columns}`, (i) => {
    const [row, other] = [
      shader.let(`${i} / ${perGroup}`),
      shader.let(`${group} * ${perGroup} + ${i} % ${perGroup}`),
    ]
    const index = narrow === product.a ? `${row} * ${n} + ${other}` : `${other} * ${n} + ${row}`
    const put = (): void =>
      result.store(shader, 2, split, shader.let([...number, index].join(' + ')), [
        width === 4 ? `${shared}[${i} >> 2u][${i} & 3]` : `${shared}[${i}]`,
      ])
    if (wide.outer % perGroup === 0) put()
    else shader.block(`if (${other} < ${wide.outer})`, put)
  })
}

/** Steps `step` to `step + 3` of row `outer` of the operand with few rows, however it lies. */
function fourSteps(reader: OperandReader, operand: Operand, outer: string, step: string): string {
  if (operand.along === 'inner') return reader.four(outer, `(${step} >> 2u)`, false)
  const values = [0, 1, 2, 3].map((k) => reader.one(outer, `(${step} + ${k})`))
  return `vec4(${values.join(', ')})`
}

interface Found {
  readonly type: string
  readonly sums: readonly string[]
  readonly share: string
  readonly column: string
}

/** Adds up what the lanes found, in workgroup memory: answers its name. It begins with the sums of the workgroup, row by row of the narrow operand. */
function gather(
  shader: Shader,
  { across, columns }: NarrowSchedule,
  { type, sums, share, column }: Found,
): string {
  const count = sums.length * columns
  const shared = shader.shared(`array<${type}, ${count * across}>`)
  sums.forEach((sum, i) =>
    shader.line(`${shared}[${share} * ${count} + ${i * columns} + ${column}] = ${sum};`),
  )
  shader.barrier()
  if (across > 1)
    shader.block(`for (var half = ${across / 2}; half >= 1; half /= 2)`, () => {
      shader.loop('lane', `half * ${count}`, `${across * columns}`, (i) =>
        shader.line(`${shared}[${i}] += ${shared}[${i} + half * ${count}];`),
      )
      shader.barrier()
    })
  return shared
}
