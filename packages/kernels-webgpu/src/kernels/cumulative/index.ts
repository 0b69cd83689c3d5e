// Cumulative: a lane runs along each line, or a part of it, where lines lie beside each other; a workgroup where they are few and long.
import type { BufferUse, KernelCode } from '../../stage.ts'
import { scalarType } from '../../wgsl/representation.ts'
import type { Shader } from '../../wgsl/shader.ts'
import { perLane, wordDtype } from '../elements.ts'
import type { KernelDef, Places } from '../kernelDef.ts'
import { alongRows } from './rows.ts'
import { beginOf, elementsUse, indexOf, joined, nothing, type Running, runningOf } from './running.ts'

/** Lines that are shorter are no work for a workgroup. */
const longLine = 128
/** Lanes that read neighbours need so many lines beside each other. */
const manyLines = 32
/** So many lanes keep a GPU busy; a part of a line is at least so long. */
const enough = 16384
const shortestPart = 32

/** Running sums, products, extremes or log-sum-exps along an axis. */
export const cumulative: KernelDef = {
  op: 'Cumulative',
  epilogue: true,
  compile(signature, target, places) {
    const running = runningOf(signature)
    // Sharing a line out takes scratch memory, for which an epilogue may leave no binding.
    const divisible = 2 + places.output.uses.length <= target.maxBuffers
    return running.size >= longLine && running.step < manyLines && running.lines < enough
      ? alongRows(running, target, places, divisible)
      : alongColumns(running, places, divisible)
  },
}

/** A lane for every line, or for parts of lines where those are few: then what comes before a part is found out first. */
function alongColumns(running: Running, { output, workspace }: Places, divisible: boolean): KernelCode {
  const { size, lines, dtype, exclusive } = running
  const wanted = Math.min(
    Math.ceil(size / shortestPart),
    Math.ceil(enough / Math.max(1, lines)),
    Math.ceil(Math.sqrt(size)),
  )
  const part = Math.ceil(size / Math.max(1, divisible ? wanted : 1))
  const parts = Math.ceil(size / Math.max(1, part))
  const totals = { arg: workspace, dtype: wordDtype(dtype), length: parts * lines } as const
  const x = elementsUse(running)

  /** Runs along a part: `visit` gets the index of each element, and the totals without it and with it. */
  const run = (
    shader: Shader,
    [line, own]: readonly [line: string, part: string],
    total: string,
    visit: (index: string, before: string, after: string) => void,
  ): void => {
    const begin = shader.let(beginOf(running, line))
    const [first, end] =
      parts === 1 ? ['0', `${size}`] : [`${own} * ${part}`, `min(${own} * ${part} + ${part}, ${size})`]
    shader.loop(first, end, '1', (rank) => {
      const index = shader.let(indexOf(running, begin, rank))
      const before = shader.let(total)
      const after = shader.let(joined(shader, running, before, shader.let(shader.memory(0).load(index))))
      shader.line(`${total} = ${after};`)
      visit(index, before, after)
    })
  }
  const lineAndPart = (shader: Shader, number: string): readonly [string, string] =>
    parts === 1 ? [number, '0'] : [shader.let(`${number} % ${lines}`), shader.let(`${number} / ${lines}`)]
  const start = (shader: Shader): string => shader.variable(scalarType(dtype), nothing(shader, running))

  const sum = perLane(parts * lines, [x, { ...totals, access: 'write' }], (shader, number) => {
    const total = start(shader)
    run(shader, lineAndPart(shader, number), total, () => undefined)
    shader.memory(1).store(number, total)
  })
  const further: BufferUse[] = parts === 1 ? [] : [{ ...totals, access: 'read' }]
  const store = perLane(parts * lines, [x, ...further, ...output.uses], (shader, number) => {
    const [line, own] = lineAndPart(shader, number)
    const total = start(shader)
    if (parts > 1)
      shader.loop('0', own, '1', (before) => {
        const value = shader.let(shader.memory(1).load(`${before} * ${lines} + ${line}`))
        shader.line(`${total} = ${joined(shader, running, total, value)};`)
      })
    run(shader, [line, own], total, (index, before, after) =>
      output.store(shader, 1 + further.length, index, exclusive ? before : after),
    )
  })
  return parts === 1
    ? { stages: [store], workspaceBytes: 0, schedule: `${lines} lanes` }
    : {
        stages: [sum, store],
        workspaceBytes: 4 * parts * lines,
        schedule: `${lines} lanes, ${parts} parts of a line`,
      }
}
