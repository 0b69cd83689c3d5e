// A program: a graph made ready for one device, its memory planned and its kernels prepared, to be run any number of times.
import { DTypeError, InternalError, ShapeError, speakingOf } from '../errors.ts'
import type { Tensor } from '../graph/graph.ts'
import { fromBytes, NDArray } from '../ndarray.ts'
import { isBlank } from '../ops/graph/blank.ts'
import type { Plan } from '../compile/plan.ts'
import { bytesOf } from '../compile/bytesOf.ts'
import type { Unit } from '../compile/units.ts'
import type { VariableResource } from '../resource.ts'
import type { ConcreteType, Size } from '../shape.ts'
import { formatType, isConcrete, sizeOf } from '../shape.ts'
import { after, all, inTurn, otherwise } from './awaitable.ts'
import { constantOf, Constants } from './constants.ts'
import type { Awaitable, BoundLaunch, Buffer, Device } from './device.ts'
import type { Flights } from './flights.ts'
import type { HostValues, RunState } from './state.ts'

/** One step of a program: launches that run as one, or something that the executor does. */
export interface Step {
  readonly unit: Unit
  /** Kernels to enqueue; empty for steps that only `run`. */
  readonly launches: readonly BoundLaunch[]
  run?(state: RunState, values: HostValues): Awaitable<void>
  /** `run` has nothing left to do once the program has run to its end: variables that have a value never lose it. */
  readonly once?: boolean
}

/** A body of control flow as a program of its own. */
export interface Nested {
  /** What it is, for people: `body of scan`. */
  readonly what: string
  readonly program: Program
}

/** Memory and host values of one program, as its steps see them. */
export class Memory {
  readonly device: Device
  readonly plan: Plan
  private readonly slots: Buffer[] = []
  private readonly constants: Constants
  private readonly given: ReadonlyMap<Tensor, Buffer>
  private readonly variable: (resource: VariableResource) => Buffer
  private readonly source: (t: Tensor) => Tensor
  private readonly owned: Buffer[] = []

  constructor(
    device: Device,
    plan: Plan,
    given: ReadonlyMap<Tensor, Buffer>,
    variable: (resource: VariableResource) => Buffer,
    taken: readonly Tensor[],
  ) {
    this.device = device
    this.plan = plan
    this.given = given
    this.variable = variable
    this.source = plan.source
    this.constants = new Constants(device, plan, taken)
    try {
      for (const bytes of plan.slots) this.slots.push(device.alloc(bytes))
    } catch (error) {
      this.free()
      throw error
    }
  }

  /** The buffer that holds a tensor. */
  bufferOf(t: Tensor): Buffer {
    const storage = this.plan.storageOf(t)
    const source = this.source(t)
    const buffer =
      storage.kind === 'slot'
        ? this.slots[storage.slot]
        : storage.kind === 'variable'
          ? this.variable(storage.resource)
          : storage.kind === 'given'
            ? this.given.get(source)
            : storage.kind === 'constant'
              ? this.constants.bufferOf(source)
              : undefined
    if (!buffer) throw new InternalError(`'${t.name}' has no memory on ${this.device.type}`, { node: t.node })
    return buffer
  }

  /** Is a tensor's memory filled once and never written again? */
  isConstant(t: Tensor): boolean {
    return !isBlank(t) && this.plan.storageOf(t).kind === 'constant'
  }

  /** Says that a unit that read a constant, given as what it is an alias of, does so no more. */
  release(t: Tensor): void {
    this.constants.release(t)
  }

  /** Fills what is filled before the first run. */
  complete(): void {
    this.constants.uploadRest()
  }

  /** The caller's memory of a parameter. */
  givenBuffer(t: Tensor): Buffer {
    const buffer = this.given.get(t)
    if (!buffer) throw new InternalError('has no memory of the caller', { node: t.node })
    return buffer
  }

  /** Memory of the program's own besides its slots: loop state, scratch memory. */
  own(bytes: number): Buffer {
    const buffer = this.device.alloc(bytes)
    this.owned.push(buffer)
    return buffer
  }

  /** A tensor's value on the host, which may be an array of the graph, of the caller or of another step: not to be written to. */
  valueOf(t: Tensor, values: HostValues): Awaitable<NDArray> {
    return this.hostValueOf(t, values) ?? this.read(t)
  }

  /** A tensor's value on the host as an array of its own. */
  copyOf(t: Tensor, values: HostValues): Awaitable<NDArray> {
    const known = this.hostValueOf(t, values)
    return known ? new NDArray(known.dtype, known.shape, known.data.slice()) : this.read(t)
  }

  private hostValueOf(t: Tensor, values: HostValues): NDArray | undefined {
    const source = this.source(t)
    const known =
      values.get(source) ?? (this.plan.storageOf(t).kind === 'constant' ? constantOf(source) : undefined)
    return !known || t === source || !isConcrete(t.shape) ? known : known.reshape(t.shape)
  }

  private read(t: Tensor): Awaitable<NDArray> {
    const { dtype, shape } = t.type as ConcreteType
    return after(this.device.read(this.bufferOf(t), bytesOf(t)), (bytes) =>
      fromBytes(dtype as 'float32', shape as Size, bytes),
    )
  }

  /** Puts a host value where the steps after this one look for it. */
  store(t: Tensor, value: NDArray, values: HostValues): void {
    demandType(t, value)
    const { kind } = this.plan.storageOf(t)
    if (kind === 'slot') this.device.write(this.bufferOf(t), value.bytes)
    else values.set(t, value)
  }

  /** Bytes of the program's own memory, by what they are for. */
  get bytes(): { readonly slots: number; readonly constants: number; readonly scratch: number } {
    const sum = (buffers: Iterable<Buffer>): number => [...buffers].reduce((n, { bytes }) => n + bytes, 0)
    return {
      slots: sum(this.slots),
      constants: this.constants.bytes,
      scratch: sum(this.owned),
    }
  }

  /** Gives back all memory that is the program's own. */
  free(): void {
    this.constants.free()
    for (const buffer of [...this.slots, ...this.owned]) this.device.free(buffer)
  }
}

/** The value, if it is what the graph says of a tensor. @throws DTypeError, ShapeError. */
export function demandType(t: Tensor, value: NDArray): NDArray {
  if (value.dtype !== t.dtype)
    throw new DTypeError(`made ${value.dtype} where ${t.dtype} was promised`, { node: t.node })
  if (isConcrete(t.shape) && (value.rank !== t.rank || sizeOf(t.shape) !== value.size))
    throw new ShapeError(`made ${formatType(value)} where ${formatType(t.type)} was promised`, {
      node: t.node,
    })
  return value
}

/** Everything that a program needs to be run again and again. */
export class Program {
  readonly memory: Memory
  readonly inputs: readonly Tensor[]
  readonly fetches: readonly Tensor[]
  /** The bodies of its control flow. */
  readonly nested: readonly Nested[]
  /** The whole name of its device. */
  readonly deviceName: string
  /** The limit of its slots, in bytes, that it was compiled under. */
  readonly maxActivationBytes: number | undefined
  private readonly flights: Flights
  private current: readonly Step[]
  private phases: readonly Phase[] | undefined
  private settled: boolean

  constructor(parts: {
    readonly memory: Memory
    readonly inputs: readonly Tensor[]
    readonly fetches: readonly Tensor[]
    readonly steps: readonly Step[]
    readonly nested: readonly Nested[]
    readonly flights: Flights
    readonly deviceName: string
    readonly maxActivationBytes?: number | undefined
  }) {
    this.memory = parts.memory
    this.inputs = parts.inputs
    this.fetches = parts.fetches
    this.current = parts.steps
    this.settled = !parts.steps.some(({ once }) => once)
    this.maxActivationBytes = parts.maxActivationBytes
    this.nested = parts.nested
    this.flights = parts.flights
    this.deviceName = parts.deviceName
  }

  /** What it does, in order; what only its first run had to do is in it until then. */
  get steps(): readonly Step[] {
    return this.current
  }

  /** Runs all steps. `inputs` are the host values of its inputs; those whose memory was given may be left out. */
  run(state: RunState, inputs: readonly (NDArray | undefined)[]): Awaitable<HostValues> {
    const values: HostValues = new Map()
    inputs.forEach((value, i) => value && this.memory.store(this.inputs[i]!, value, values))
    const work = otherwise(
      () => (state.trace ? this.runTraced(state, values) : this.runPhases(state, values)),
      (error) => this.failed(error, state),
    )
    return after(work, () => {
      if (!this.settled) this.settle()
      return values
    })
  }

  /** The fetched values of a run that has just ended; they are the caller's own, to be written to as well. */
  readFetches(values: HostValues): Awaitable<NDArray[]> {
    return all(this.fetches.map((t) => this.memory.copyOf(t, values)))
  }

  /** Gives back the memory of this program and of the bodies in it. */
  free(): void {
    this.nested.forEach(({ program }) => program.free())
    this.memory.free()
  }

  /** Leaves out what only the first run had to do: launches that it stood between become one call. */
  private settle(): void {
    this.settled = true
    this.current = this.current.flatMap((step) => {
      if (!step.once) return [step]
      const { unit, launches } = step
      return launches.length > 0 ? [{ unit, launches }] : []
    })
    this.phases = undefined
  }

  /** Nothing may be under way when a run has failed: it would meet the next one. */
  private failed(error: unknown, state: RunState): Awaitable<never> {
    const ended = this.flights.end()
    if (!ended) throw error
    state.abort(error)
    return ended.then(() => {
      throw error
    })
  }

  private runPhases(state: RunState, values: HostValues): Awaitable<void> {
    if (this.phases) return inTurn(this.phases, (phase) => phase(state, values))
    return after(sequenced(this.steps, this.memory.device, this.flights), (phases) => {
      this.phases = phases
      return inTurn(phases, (phase) => phase(state, values))
    })
  }

  private runTraced(state: RunState, values: HostValues): Awaitable<void> {
    const trace = state.trace!
    const makeWay = makeWayFor(this.flights)
    let begun = false
    return inTurn(this.steps, (step) => {
      const { node, nodes, outputs, kind } = step.unit
      begun ||= kind === 'start'
      const made = kind === 'start' ? node.outputs : outputs
      const record = (startMs: number): void =>
        trace.add({
          node: node.name,
          op: nodes.map((n) => n.op.name).join('+'),
          device: this.deviceName,
          startMs,
          durationMs: trace.now() - startMs,
          bytes: made.reduce((sum, t) => sum + (isConcrete(t.shape) ? bytesOf(t) : 0), 0),
        })
      return after(begun && step.launches.length > 0 ? makeWay(state, values) : undefined, () => {
        const startMs = trace.now()
        step.launches.forEach(({ kernel, args }) => kernel.launch(args))
        return after(guarded(step, state, values), () => {
          // What goes on beside the kernels ends when it does, not where it is taken up.
          if (kind === 'start') this.flights.whenDone(node, () => record(startMs))
          else if (kind !== 'finish') record(startMs)
        })
      })
    })
  }
}

type Phase = (state: RunState, values: HostValues) => Awaitable<void>

/** While something is under way, so many kernels are one call at most: between two calls messages come and go. */
const mostAtOnce = 8

/** Joins neighbouring launches into one call each. */
function sequenced(steps: readonly Step[], device: Device, flights: Flights): Awaitable<Phase[]> {
  const phases: Awaitable<Phase>[] = []
  const makeWay = makeWayFor(flights)
  let launches: BoundLaunch[] = []
  let begun = false
  const flush = (): void => {
    const waiting = launches
    launches = []
    const most = begun ? mostAtOnce : waiting.length
    for (let from = 0; from < waiting.length; from += most) {
      const batch = waiting.slice(from, from + most)
      const joined: Awaitable<() => void> =
        device.sequence?.(batch) ?? (() => batch.forEach(({ kernel, args }) => kernel.launch(args)))
      if (begun) phases.push(makeWay)
      phases.push(
        after(
          joined,
          (go): Phase =>
            () =>
              go(),
        ),
      )
    }
  }
  for (const step of steps) {
    launches.push(...step.launches)
    if (!step.run) continue
    flush()
    begun ||= step.unit.kind === 'start'
    phases.push((state: RunState, values: HostValues) => guarded(step, state, values))
  }
  flush()
  return all(phases)
}

/** Lets others have a turn where it is time for that; a run that is to end does so here, with kernels still to come. */
const makeWayFor =
  (flights: Flights): Phase =>
  (state) =>
    after(state.pause?.(), () => {
      state.context.signal?.throwIfAborted()
      flights.check()
    })

/** Runs a step so that what it throws names its node, and an aborted run stops before it. */
function guarded(step: Step, state: RunState, values: HostValues): Awaitable<void> {
  if (!step.run) return
  state.context.signal?.throwIfAborted()
  return otherwise(
    () => step.run!(state, values),
    (error) => {
      throw speakingOf(step.unit.node, error)
    },
  )
}
