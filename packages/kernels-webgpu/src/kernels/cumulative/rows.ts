// Running totals along few and long lines: workgroups go through tiles of a line, of which each lane has some neighbours.
import type { KernelCode, Stage, Target } from '../../stage.ts'
import { scalarType } from '../../wgsl/representation.ts'
import type { Shader } from '../../wgsl/shader.ts'
import { wordDtype } from '../elements.ts'
import type { Places } from '../kernelDef.ts'
import { together } from '../together.ts'
import { beginOf, elementsUse, indexOf, joined, nothing, type Running } from './running.ts'

/** Neighbours that one lane adds up. */
const each = 8
/** So many workgroups keep a GPU busy. */
const enough = 256

/** How a line is shared out. */
interface Blocks {
  readonly lanes: number
  /** Elements that a workgroup goes through at once. */
  readonly tile: number
  /** Elements of a workgroup. */
  readonly block: number
  /** Workgroups of a line. */
  readonly blocks: number
}

/** The stages: where several workgroups share a line, as they may if it is divisible, each first finds the total of its block. */
export function alongRows(running: Running, target: Target, places: Places, divisible: boolean): KernelCode {
  const { size, lines } = running
  const lanes = Math.min(256, target.lanes, 2 ** Math.ceil(Math.log2(size / each)))
  const tile = lanes * each
  const tiles = Math.ceil(size / tile)
  const most = divisible ? Math.ceil(enough / lines) : 1
  const block = tile * Math.ceil(tiles / Math.min(tiles, most))
  const shared: Blocks = { lanes, tile, block, blocks: Math.ceil(size / block) }
  const store = storeStage(running, shared, places)
  const schedule = `${shared.blocks} workgroups of ${lanes} lanes a line`
  if (shared.blocks === 1) return { stages: [store], workspaceBytes: 0, schedule }
  return {
    stages: [totalStage(running, shared, places.workspace), store],
    workspaceBytes: 4 * lines * shared.blocks,
    schedule,
  }
}

/** Which line and block a workgroup has. */
function shareOf(shader: Shader, running: Running, { block, blocks }: Blocks) {
  const line = blocks === 1 ? 'group' : shader.let(`group / ${blocks}`)
  const own = blocks === 1 ? '0' : shader.let(`group % ${blocks}`)
  return {
    line,
    own,
    begin: shader.let(beginOf(running, line)),
    first: shader.let(`${own} * ${block}`),
    end: shader.let(`min(${own} * ${block} + ${block}, ${running.size})`),
  }
}

const totalsUse = ({ dtype, lines }: Running, { blocks }: Blocks, arg: number) =>
  ({ arg, dtype: wordDtype(dtype), length: lines * blocks }) as const

/** Leaves the total of every block in scratch memory. */
function totalStage(running: Running, shared: Blocks, workspace: number): Stage {
  const { lanes, blocks } = shared
  return {
    buffers: [elementsUse(running), { ...totalsUse(running, shared, workspace), access: 'write' }],
    groups: running.lines * blocks,
    lanes,
    write: (shader) => {
      const { begin, first, end } = shareOf(shader, running, shared)
      const total = shader.variable(scalarType(running.dtype), nothing(shader, running))
      shader.loop(`${first} + lane`, end, `${lanes}`, (rank) => {
        const value = shader.let(shader.memory(0).load(shader.let(indexOf(running, begin, rank))))
        shader.line(`${total} = ${joined(shader, running, total, value)};`)
      })
      const all = together(shader, scalarType(running.dtype), lanes, total, (a, b) =>
        joined(shader, running, a, b),
      )
      shader.block('if (lane == 0)', () => shader.memory(1).store('group', all))
    },
  }
}

/** Stores the running totals of every block. */
function storeStage(running: Running, shared: Blocks, { output, workspace }: Places): Stage {
  const { lanes, tile, blocks } = shared
  const before = blocks === 1 ? [] : [{ ...totalsUse(running, shared, workspace), access: 'read' as const }]
  const type = scalarType(running.dtype)
  return {
    buffers: [elementsUse(running), ...before, ...output.uses],
    groups: running.lines * blocks,
    lanes,
    write: (shader) => {
      const { line, own, begin, first, end } = shareOf(shader, running, shared)
      // One place in 33 is left free, so that lanes that go through neighbours meet in no bank.
      const values = shader.shared(`array<${type}, ${tile + tile / 32}>`)
      const totals = shader.shared(`array<${type}, ${lanes}>`)
      const place = (i: string): string => `${values}[${i} + ${i} / 32]`
      const none = nothing(shader, running)
      const join = (a: string, b: string): string => joined(shader, running, a, b)
      const carried = shader.variable(type, none)
      if (blocks > 1) {
        shader.loop('lane', own, `${lanes}`, (block) => {
          const total = shader.let(shader.memory(1).load(`${line} * ${blocks} + ${block}`))
          shader.line(`${carried} = ${join(carried, total)};`)
        })
        shader.line(`${carried} = ${together(shader, type, lanes, carried, join)};`)
      }
      shader.loop(first, end, `${tile}`, (start) => {
        shader.loop('lane', `${tile}`, `${lanes}`, (i) => {
          shader.line(`${place(i)} = ${none};`)
          shader.block(`if (${start} + ${i} < ${end})`, () => {
            const index = shader.let(indexOf(running, begin, `(${start} + ${i})`))
            shader.line(`${place(i)} = ${shader.memory(0).load(index)};`)
          })
        })
        shader.barrier()
        const total = shader.variable(type, none)
        shader.loop(`lane * ${each}`, `lane * ${each} + ${each}`, '1', (i) => {
          const next = shader.let(join(total, place(i)))
          shader.line(`${place(i)} = ${running.exclusive ? total : next};`)
          shader.line(`${total} = ${next};`)
        })
        shader.line(`${totals}[lane] = ${total};`)
        shader.barrier()
        runTotals(shader, running, lanes, totals)
        shader.loop('lane', `${tile}`, `${lanes}`, (i) => {
          shader.block(`if (${start} + ${i} < ${end})`, () => {
            const others = shader.let(
              `select(${totals}[max(${i} / ${each} - 1, 0)], ${none}, ${i} < ${each})`,
            )
            const value = shader.let(join(shader.let(join(carried, others)), place(i)))
            output.store(
              shader,
              1 + before.length,
              shader.let(indexOf(running, begin, `(${start} + ${i})`)),
              value,
            )
          })
        })
        shader.line(`${carried} = ${join(carried, `${totals}[${lanes - 1}]`)};`)
        shader.barrier()
      })
    },
  }
}

/** Makes the totals of lanes running ones. W. D. Hillis and G. L. Steele, Data Parallel Algorithms, 1986. */
function runTotals(shader: Shader, running: Running, lanes: number, totals: string): void {
  const distance = shader.variable('i32', '1')
  shader.block(`for (; ${distance} < ${lanes}; ${distance} *= 2)`, () => {
    const value = shader.variable(scalarType(running.dtype), `${totals}[lane]`)
    shader.block(`if (lane >= ${distance})`, () =>
      shader.line(`${value} = ${joined(shader, running, `${totals}[lane - ${distance}]`, value)};`),
    )
    shader.barrier()
    shader.line(`${totals}[lane] = ${value};`)
    shader.barrier()
  })
}
