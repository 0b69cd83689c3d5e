// Loops that go on while a condition holds: on devices that can, a round is one call, the body and the next test together.
import type { Subgraph, Tensor } from '../graph/graph.ts'
import { NDArray } from '../ndarray.ts'
import type { Size } from '../shape.ts'
import { isConcrete } from '../shape.ts'
import { allocate } from '../dtype.ts'
import type { TypedArray } from '../dtype.ts'
import type { Unit } from '../compile/units.ts'
import { after, all, inTurn, repeatWhile } from './awaitable.ts'
import type { Run } from './controlFlow.ts'
import { Carry, compile, hostInputs, lent } from './controlFlow.ts'
import type { Awaitable, Buffer, LoopLaunch, Moving } from './device.ts'
import { loopLaunches } from './loopLaunches.ts'
import type { Memory, Program } from './program.ts'
import type { HostValues, RunState } from './state.ts'
import type { StepContext } from './steps.ts'
import { rowBytes } from './steps.ts'

/** Repeats the body while the condition holds. Outputs: final state, number of iterations, and for each state its value before every iteration. */
export function whileStep(unit: Unit, context: StepContext): Awaitable<Run> {
  const loop = new While(unit, context.memory)
  const { attrs, name } = unit.node
  return after(
    all([
      compile(context, `condition of ${name}`, attrs['cond'] as Subgraph, loop.buffers),
      compile(context, `body of ${name}`, attrs['body'] as Subgraph, loop.buffers),
    ]),
    ([cond, body]): Run => {
      const { device } = context.memory
      const launches = device.loop && loop.launches(cond!, body!)
      let rounds: ((round: number) => void) | undefined
      return (state, values) => {
        // A trace tells launches apart.
        if (!launches || state.trace) return loop.copying(cond!, body!, state, values)
        return after(rounds ?? device.loop!(launches), (go) => {
          rounds = go
          return loop.turning(cond!, go, state, values)
        })
      }
    },
  )
}

/** One loop and its memory. */
class While {
  /** Where the bodies find their parameters; undefined for those on the host. */
  readonly buffers: readonly (Buffer | undefined)[]
  private readonly unit: Unit
  private readonly memory: Memory
  private readonly carry: Carry
  /** The number of states. */
  private readonly count: number
  private readonly limit: number
  /** The outputs that keep states as they were. */
  private readonly histories: readonly Tensor[]

  constructor(unit: Unit, memory: Memory) {
    const { attrs, inputs } = unit.node
    this.unit = unit
    this.memory = memory
    this.count = attrs['carries'] as number
    this.carry = new Carry(memory, inputs.slice(0, this.count))
    this.buffers = [...this.carry.buffers, ...inputs.slice(this.count).map((t) => lent(memory, t))]
    this.limit = (attrs['maxIterations'] as number | undefined) ?? Infinity
    this.histories = unit.outputs.filter((t) => t.index > this.count)
  }

  /** What a round launches that copies nothing back: the body, then the condition on what it has made. */
  launches(cond: Program, body: Program): LoopLaunch[] | undefined {
    if (this.buffers.includes(undefined) || !this.histories.every((t) => isConcrete(t.shape)))
      return undefined
    if (cond.memory.plan.storageOf(cond.fetches[0]!).kind === 'host') return undefined
    const states = this.carry.buffers.map((_, i) => this.carry.turns(i))
    const places = (side: 0 | 1): Map<Buffer, Moving> =>
      new Map(this.carry.buffers.map((buffer, i) => [buffer, states[i]![side]]))
    const kept = this.histories.flatMap((t): LoopLaunch[] => {
      const bytes = rowBytes(t.shape as Size, t.dtype)
      const row = { buffer: this.memory.bufferOf(t), offset: 0, stride: bytes }
      const [before] = states[t.index - this.count - 1]!
      return bytes === 0 ? [] : [{ kernel: this.memory.device.copy(bytes), args: [before, row] }]
    })
    const made = loopLaunches(
      body,
      places(0),
      states.map(([, next], i) => ({ from: body.fetches[i]!, to: next })),
    )
    const tested = loopLaunches(cond, places(1), [])
    return made && tested && [...kept, ...made, ...tested]
  }

  /** Runs rounds that copy nothing back. */
  turning(cond: Program, go: (round: number) => void, state: RunState, values: HostValues): Awaitable<void> {
    let iterations = 0
    this.carry.start()
    const again = (): Awaitable<boolean> => {
      state.context.signal?.throwIfAborted()
      if (iterations >= this.limit) return false
      // The first test comes before all rounds, each other one with the round before it.
      const tested = iterations === 0 ? cond.run(state, []) : new Map()
      return after(tested, (results) =>
        after(cond.memory.valueOf(cond.fetches[0]!, results), (holds) => {
          if (!holds.item()) return false
          go(iterations++)
          return true
        }),
      )
    }
    return after(repeatWhile(again, state.pause), () => this.finish(values, iterations, iterations))
  }

  /** Runs rounds that copy the state back. */
  copying(cond: Program, body: Program, state: RunState, values: HostValues): Awaitable<void> {
    const recorded = this.histories.map(
      (t) => new History(t, this.memory, this.carry.buffers[t.index - this.count - 1]!),
    )
    let iterations = 0
    this.carry.start()
    return after(hostInputs(this.memory, values, this.unit.node.inputs, this.buffers), (host) => {
      const again = (): Awaitable<boolean> => {
        state.context.signal?.throwIfAborted()
        if (iterations >= this.limit) return false
        return after(cond.run(state, host), (tested) =>
          after(cond.memory.valueOf(cond.fetches[0]!, tested), (holds) => {
            if (!holds.item()) return false
            return after(
              inTurn(recorded, (history) => history.add(iterations)),
              () =>
                after(body.run(state, host), () => {
                  this.carry.advance(body)
                  iterations++
                  return true
                }),
            )
          }),
        )
      }
      return after(repeatWhile(again, state.pause), () => {
        this.finish(values, iterations)
        recorded.forEach((history) => history.finish(values, iterations))
      })
    })
  }

  private finish(values: HostValues, iterations: number, turns = 0): void {
    this.carry.finish(this.unit, turns)
    for (const t of this.unit.outputs)
      if (t.index === this.count)
        this.memory.store(t, new NDArray('int32', [], Int32Array.of(iterations)), values)
  }
}

/** The values of one state before every iteration: rows of a device tensor, or of a host array where their number was not known. */
class History {
  private readonly t: Tensor
  private readonly memory: Memory
  private readonly from: Buffer
  private readonly rows: Uint8Array[] = []
  private readonly onDevice: boolean
  private readonly bytes: number
  constructor(t: Tensor, memory: Memory, from: Buffer) {
    this.t = t
    this.memory = memory
    this.from = from
    this.onDevice = isConcrete(t.shape)
    this.bytes = rowBytes([0, ...(t.shape.slice(1) as Size)], t.dtype)
  }
  add(iteration: number): Awaitable<void> {
    if (this.onDevice)
      return this.memory.device.move(
        this.from,
        0,
        this.memory.bufferOf(this.t),
        iteration * this.bytes,
        this.bytes,
      )
    return after(this.memory.device.read(this.from, this.bytes), (row) => void this.rows.push(row))
  }
  finish(values: HostValues, iterations: number): void {
    if (this.onDevice) return
    const shape = [iterations, ...(this.t.shape.slice(1) as Size)]
    const data = allocate(this.t.dtype, (this.bytes * iterations) / bytesPerElement(this.t)) as TypedArray
    const bytes = new Uint8Array(data.buffer)
    this.rows.forEach((row, i) => bytes.set(row, i * this.bytes))
    this.memory.store(this.t, new NDArray(this.t.dtype, shape, data as never), values)
  }
}
const bytesPerElement = (t: Tensor): number => rowBytes([0], t.dtype)
