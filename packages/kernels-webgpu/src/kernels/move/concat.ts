// Concat: every element of the answer is in one of the inputs; as many inputs a stage as it may have buffers.
import { normalizeAxis, sizeOf } from '@shoal/core'
import type { Stage } from '../../stage.ts'
import type { Shader } from '../../wgsl/shader.ts'
import { perLane } from '../elements.ts'
import type { KernelDef } from '../kernelDef.ts'
import { loadUnit, moveStage, type Unit, unitOf, unitType, unitUse } from './units.ts'

/** Choosing among more inputs takes longer than another stage. */
const mostInputs = 16

/** One input: its argument, the elements that it adds to every row, and where in the row they begin. */
interface Part {
  readonly arg: number
  readonly width: number
  readonly begin: number
}

/** Joins tensors along an axis. */
export const concat: KernelDef = {
  op: 'Concat',
  compile({ inputs, outputs, attrs }, { maxBuffers }, { firstOutput }) {
    const { dtype, shape } = outputs[0]!
    const axis = normalizeAxis(Number(attrs['axis']), shape.length)
    const rows = sizeOf(shape.slice(0, axis))
    let begin = 0
    const parts = inputs.map((input, arg): Part => {
      const width = sizeOf(input.shape.slice(axis))
      begin += width
      return { arg, width, begin: begin - width }
    })
    const filled = parts.filter(({ width }) => width > 0)
    const unit = unitOf(
      dtype,
      filled.map(({ width }) => width),
    )
    const joined = { unit, rows, width: begin, to: firstOutput }
    const most = Math.min(maxBuffers - 1, mostInputs)
    const stages = Array.from({ length: Math.ceil(filled.length / most) }, (_, i) =>
      joinStage(joined, filled.slice(i * most, (i + 1) * most)),
    )
    return { stages, workspaceBytes: 0 }
  },
}

interface Joined {
  readonly unit: Unit
  readonly rows: number
  /** Elements of a row of the answer. */
  readonly width: number
  readonly to: number
}

/** Moves neighbouring parts to their places. */
function joinStage({ unit, rows, width, to }: Joined, parts: readonly Part[]): Stage {
  const reads = parts.map((part) => unitUse(unit, part.arg, rows * part.width, 'read'))
  const units = (elements: number): number => elements / unit.elements
  const first = parts[0]!.begin
  const own = parts.at(-1)!.begin + parts.at(-1)!.width - first
  const value = (shader: Shader, row: string, column: string): string => {
    const found = shader.variable(unitType(unit))
    parts.forEach((part, i) => {
      const last = i === parts.length - 1
      const head = `if (${column} < ${units(part.begin + part.width - first)})`
      const end = last ? (parts.length === 1 ? '' : 'else') : i === 0 ? head : `else ${head}`
      shader.block(end, () => {
        const place = `${row} * ${units(part.width)} + (${column} - ${units(part.begin - first)})`
        shader.line(`${found} = ${loadUnit(shader, unit, i, shader.let(place))};`)
      })
    })
    return found
  }
  // All of the answer may be stored word by word.
  if (own === width)
    return moveStage(unit, reads, to, rows * width, (shader, index) =>
      value(shader, shader.let(`${index} / ${units(width)}`), shader.let(`${index} % ${units(width)}`)),
    )
  return perLane(rows * units(own), [...reads, unitUse(unit, to, rows * width, 'write')], (shader, index) => {
    const [row, column] = [shader.let(`${index} / ${units(own)}`), shader.let(`${index} % ${units(own)}`)]
    const place = shader.let(`${row} * ${units(width)} + ${units(first)} + ${column}`)
    const moved = value(shader, row, column)
    if (unit.vector === 4) shader.memory(reads.length).store4(place, moved)
    else shader.memory(reads.length).store(place, moved)
  })
}
