// Loops over rows: on devices that can, each round is one call that finds its rows and states where they are; on others they are copied.
import type { Subgraph, Tensor } from '../graph/graph.ts'
import { bytesOf } from '../compile/bytesOf.ts'
import type { Unit } from '../compile/units.ts'
import type { Size } from '../shape.ts'
import { after, repeatWhile } from './awaitable.ts'
import type { Run } from './controlFlow.ts'
import { Carry, compile, hostInputs, lent } from './controlFlow.ts'
import type { Awaitable, Buffer, LoopLaunch, Moving } from './device.ts'
import { loopLaunches } from './loopLaunches.ts'
import type { Memory, Program } from './program.ts'
import type { StepContext } from './steps.ts'
import { rowBytes } from './steps.ts'

/** Runs the body for every row of the sequences. Outputs: final state, one row of results per step, and each state before every step. */
export function scanStep(unit: Unit, context: StepContext): Awaitable<Run> {
  const scan = new Scan(unit, context.memory)
  const { attrs, name } = unit.node
  return after(
    compile(context, `body of ${name}`, attrs['body'] as Subgraph, scan.buffers),
    (program): Run => {
      const { device } = context.memory
      const launches = device.loop && scan.launches(program)
      const copying = scan.copying(program)
      if (!launches) return copying
      let rounds: ((round: number) => void) | undefined
      return (state, values) => {
        // A trace tells launches apart.
        if (state.trace) return copying(state, values)
        return after(rounds ?? device.loop!(launches), (go) => {
          rounds = go
          return scan.turning(go)(state, values)
        })
      }
    },
  )
}

/** One scan and its memory. */
class Scan {
  /** Where the body finds its parameters; undefined for those on the host. */
  readonly buffers: readonly (Buffer | undefined)[]
  private readonly unit: Unit
  private readonly memory: Memory
  private readonly carry: Carry
  private readonly xs: readonly Tensor[]
  private readonly rows: readonly Buffer[]
  private readonly length: number
  private readonly carries: number
  private readonly reverse: boolean

  constructor(unit: Unit, memory: Memory) {
    const { attrs, inputs } = unit.node
    const [carries, sequences] = [attrs['carries'] as number, attrs['sequences'] as number]
    this.unit = unit
    this.memory = memory
    this.carries = carries
    this.reverse = Boolean(attrs['reverse'])
    this.carry = new Carry(memory, inputs.slice(0, carries))
    this.xs = inputs.slice(carries, carries + sequences)
    this.length = this.xs.length > 0 ? (this.xs[0]!.shape[0] as number) : (attrs['length'] as number)
    this.rows = this.xs.map((t) => memory.own(rowBytes(t.shape as Size, t.dtype)))
    const captured = inputs.slice(carries + sequences)
    this.buffers = [...this.carry.buffers, ...this.rows, ...captured.map((t) => lent(memory, t))]
  }

  /** What a round launches that copies nothing back. */
  launches(program: Program): LoopLaunch[] | undefined {
    if (this.buffers.includes(undefined)) return undefined
    const { device } = this.memory
    const states = this.carry.buffers.map((_, i) => this.carry.turns(i))
    const places = new Map<Buffer, Moving>([
      ...this.carry.buffers.map((buffer, i) => [buffer, states[i]![0]] as const),
      ...this.xs.map((t, i) => [this.rows[i]!, this.rowOf(t)] as const),
    ])
    const kept = this.unit.outputs.flatMap((to) => {
      const state = this.savedState(to)
      const bytes = state < 0 ? 0 : bytesOf(this.unit.node.inputs[state]!)
      return bytes === 0 ? [] : [{ kernel: device.copy(bytes), args: [states[state]![0], this.rowOf(to)] }]
    })
    const made = loopLaunches(program, places, [
      ...states.map(([, next], i) => ({ from: program.fetches[i]!, to: next })),
      ...this.resultsOf(program).map(({ from, to }) => ({ from, to: this.rowOf(to) })),
    ])
    return made && [...kept, ...made]
  }

  /** Runs rounds that copy nothing back. */
  turning(go: (round: number) => void): Run {
    return (state) => {
      this.carry.start()
      let done = 0
      const again = (): boolean => {
        if (done >= this.length) return false
        state.context.signal?.throwIfAborted()
        go(done++)
        return true
      }
      return after(repeatWhile(again, state.pause), () => this.carry.finish(this.unit, this.length))
    }
  }

  /** Runs rounds that copy rows, states and results in and out. */
  copying(program: Program): Run {
    const { memory, unit, carry, xs, rows, length } = this
    const { device } = memory
    const results = this.resultsOf(program)
    return (state, values) => {
      carry.start()
      return after(hostInputs(memory, values, unit.node.inputs, this.buffers), (host) => {
        let done = 0
        const again = (): Awaitable<boolean> => {
          if (done >= length) return false
          state.context.signal?.throwIfAborted()
          const at = this.reverse ? length - 1 - done : done
          xs.forEach((t, i) =>
            device.move(memory.bufferOf(t), at * rows[i]!.bytes, rows[i]!, 0, rows[i]!.bytes),
          )
          for (const to of unit.outputs) {
            const saved = this.savedState(to)
            if (saved < 0) continue
            const bytes = bytesOf(unit.node.inputs[saved]!)
            device.move(carry.buffers[saved]!, 0, memory.bufferOf(to), at * bytes, bytes)
          }
          return after(program.run(state, host), () => {
            for (const { from, to } of results) {
              const bytes = bytesOf(from)
              device.move(program.memory.bufferOf(from), 0, memory.bufferOf(to), at * bytes, bytes)
            }
            carry.advance(program)
            done++
            return true
          })
        }
        return after(repeatWhile(again, state.pause), () => carry.finish(unit))
      })
    }
  }

  /** The outputs that stack what the body makes. */
  private resultsOf({ fetches }: Program): { readonly from: Tensor; readonly to: Tensor }[] {
    return this.unit.outputs
      .filter(({ index }) => index >= this.carries && index < fetches.length)
      .map((to) => ({ from: fetches[to.index]!, to }))
  }

  /** Which state an output keeps as it was before every step; negative for other outputs. */
  private savedState({ index, node }: Tensor): number {
    return index - (node.outputs.length - this.carries)
  }

  /** The row of a stacked tensor that belongs to a round. */
  private rowOf(t: Tensor): Moving {
    const bytes = rowBytes(t.shape as Size, t.dtype)
    const buffer = this.memory.bufferOf(t)
    return this.reverse
      ? { buffer, offset: Math.max(0, this.length - 1) * bytes, stride: -bytes }
      : { buffer, offset: 0, stride: bytes }
  }
}
