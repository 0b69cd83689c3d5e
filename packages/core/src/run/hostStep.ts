// What the executor does with host values: ops that run on the host, what it hands to other partitions, and what goes on beside kernels.
import { allocate } from '../dtype.ts'
import { InternalError } from '../errors.ts'
import type { Node, Tensor } from '../graph/graph.ts'
import { NDArray } from '../ndarray.ts'
import type { RuntimeRole } from '../op.ts'
import type { Unit } from '../compile/units.ts'
import type { Size } from '../shape.ts'
import { sizeOf } from '../shape.ts'
import { after, all } from './awaitable.ts'
import type { Run } from './controlFlow.ts'
import type { Awaitable } from './device.ts'
import type { Flights } from './flights.ts'
import type { Memory } from './program.ts'
import { demandType } from './program.ts'
import type { HostValues, RunState } from './state.ts'

/** Runs an op on the host, and waits for it. */
export function hostStep({ node, inputs, outputs }: Unit, memory: Memory): Run {
  return (state, values) => {
    const given = all(node.inputs.map((t) => (inputs.includes(t) ? memory.valueOf(t, values) : emptyLike(t))))
    return after(
      after(given, (arrays) => work(node, arrays, state)),
      (made) => store(outputs, made, memory, values),
    )
  }
}

/** Begins what goes on beside kernels. Inputs are copied from the device now, or come of what is under way itself. */
export function startStep({ node, inputs }: Unit, memory: Memory, flights: Flights): Run {
  return (state, values) => {
    const given = node.inputs.map((t): Awaitable<NDArray> => {
      if (!inputs.includes(t)) return emptyLike(t)
      const coming = flights.of(t.node)
      return coming ? after(coming, (made) => demandType(t, made[t.index]!)) : memory.valueOf(t, values)
    })
    // Who receives asks at once, whatever it is to be taken up after.
    const others = roleOf(node) === 'recv' ? [] : node.control
    const waited = others.map((other): Awaitable<unknown> => flights.of(other))
    const ready = all<unknown>([...given, ...waited])
    flights.begin(
      node,
      () => after(ready, (known) => work(node, known.slice(0, given.length) as NDArray[], state)),
      state.pause,
    )
  }
}

/** Takes up what was begun. */
export function finishStep({ node, outputs }: Unit, memory: Memory, flights: Flights): Run {
  return (_, values) => after(flights.take(node), (made) => store(outputs, made, memory, values))
}

const roleOf = ({ op: { body } }: Node): RuntimeRole | undefined =>
  body.kind === 'runtime' ? body.role : undefined

/** What a node makes of host values. */
function work(node: Node, given: readonly NDArray[], state: RunState): Awaitable<readonly NDArray[]> {
  const { body } = node.op
  const { rendezvous, context } = state
  const role = roleOf(node)
  if (role === 'send') {
    rendezvous.send(node.attrs['key'] as string, given[0]!)
    return []
  }
  if (role === 'recv')
    return after(rendezvous.recv(node.attrs['key'] as string, context.signal), (value) => [value])
  if (body.kind !== 'runtime' || !body.run)
    throw new InternalError('has nothing to run on the host', { node })
  return after(body.run(given, node.attrs as never, context) as Awaitable<readonly NDArray[]>, (made) => {
    if (made.length === node.outputs.length) return made
    throw new InternalError(`made ${made.length} values where ${node.outputs.length} were promised`, { node })
  })
}

function store(
  outputs: readonly Tensor[],
  made: readonly NDArray[],
  memory: Memory,
  values: HostValues,
): void {
  outputs.forEach((t) => memory.store(t, made[t.index]!, values))
}

/** A blank input: its shape is all that counts. */
const emptyLike = (t: Tensor): NDArray =>
  new NDArray(t.dtype, t.shape as Size, allocate(t.dtype, sizeOf(t.shape as Size)))
