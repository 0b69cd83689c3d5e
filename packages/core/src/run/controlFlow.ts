// Branches, and what loops share with them: bodies are programs of their own, run on memory that the surrounding program lends them.
import type { Subgraph, Tensor } from '../graph/graph.ts'
import type { NDArray } from '../ndarray.ts'
import { bytesOf } from '../compile/bytesOf.ts'
import type { Unit } from '../compile/units.ts'
import { after, all, inTurn } from './awaitable.ts'
import type { Awaitable, Buffer, Moving } from './device.ts'
import type { Memory, Program, Step } from './program.ts'
import type { HostValues } from './state.ts'
import type { StepContext } from './steps.ts'

/** Prepares a body whose parameters live in the given buffers; undefined for those that are passed as host values. */
export type CompileBody = (body: Subgraph, params: readonly (Buffer | undefined)[]) => Awaitable<Program>
/** What a step does in a run. */
export type Run = NonNullable<Step['run']>

/** Where the surrounding program keeps a captured input; undefined if it is on the host. */
export const lent = (memory: Memory, t: Tensor): Buffer | undefined =>
  t.dtype === 'string' || memory.plan.storageOf(t).kind === 'host' ? undefined : memory.bufferOf(t)

/** A body as a program of its own, freed with the one around it. `what` says which it is, for people. */
export function compile(
  context: StepContext,
  what: string,
  body: Subgraph,
  params: readonly (Buffer | undefined)[],
): Awaitable<Program> {
  return after(context.compileBody(body, params), (program) => {
    context.nested.push({ what, program })
    return program
  })
}

/** Host values for the parameters that have no buffer. */
export function hostInputs(
  memory: Memory,
  values: HostValues,
  tensors: readonly Tensor[],
  buffers: readonly (Buffer | undefined)[],
): Awaitable<(NDArray | undefined)[]> {
  return all(
    tensors.map(
      (t, i): Awaitable<NDArray | undefined> => (buffers[i] ? undefined : memory.valueOf(t, values)),
    ),
  )
}

/** Hands a body's result to an output of the surrounding program. */
function deliver(
  body: Program,
  results: HostValues,
  from: Tensor,
  memory: Memory,
  to: Tensor,
  values: HostValues,
): Awaitable<void> {
  const bothOnDevice =
    memory.plan.storageOf(to).kind === 'slot' && body.memory.plan.storageOf(from).kind !== 'host'
  if (bothOnDevice) memory.device.move(body.memory.bufferOf(from), 0, memory.bufferOf(to), 0, bytesOf(to))
  else return after(body.memory.valueOf(from, results), (value) => memory.store(to, value, values))
}

/** Runs the branch that an index chooses; an index out of range chooses the last. */
export function caseStep(unit: Unit, context: StepContext): Awaitable<Run> {
  const { memory } = context
  const [index, ...captured] = unit.node.inputs as [Tensor, ...Tensor[]]
  const buffers = captured.map((t) => lent(memory, t))
  const branches = unit.node.attrs['branches'] as readonly Subgraph[]
  return after(
    all(
      branches.map((branch, i) =>
        compile(context, `branch ${i} of ${branches.length} of ${unit.node.name}`, branch, buffers),
      ),
    ),
    (programs): Run =>
      (state, values) =>
        after(memory.valueOf(index, values), (value) => {
          const chosen = Number(value.item())
          const at = chosen >= 0 && chosen < programs.length ? chosen : programs.length - 1
          const program = programs[at]!
          return after(hostInputs(memory, values, captured, buffers), (inputs) =>
            after(program.run(state, inputs), (results) =>
              inTurn(unit.outputs, (to) =>
                deliver(program, results, program.fetches[to.index]!, memory, to, values),
              ),
            ),
          )
        }),
  )
}

/** Two of them lie in a buffer, one behind the other, each where memory is fast. */
const roomFor = (t: Tensor): number => Math.ceil(bytesOf(t) / 64) * 64

/** The state of a loop: one buffer for each carried value, outside the body's own memory, with room for two. */
export class Carry {
  readonly buffers: readonly Buffer[]
  private readonly tensors: readonly Tensor[]
  private readonly memory: Memory
  constructor(memory: Memory, tensors: readonly Tensor[]) {
    this.memory = memory
    this.tensors = tensors
    this.buffers = tensors.map((t) => memory.own(2 * roomFor(t)))
  }
  start(): void {
    this.tensors.forEach((t, i) =>
      this.memory.device.move(this.memory.bufferOf(t), 0, this.buffers[i]!, 0, bytesOf(t)),
    )
  }
  /** Takes over what the body made of it. The body's results are never the carried memory itself. */
  advance(body: Program): void {
    this.tensors.forEach((t, i) =>
      this.memory.device.move(body.memory.bufferOf(body.fetches[i]!), 0, this.buffers[i]!, 0, bytesOf(t)),
    )
  }
  /** Where value `i` is before a round that does not copy it back, and where after: in turn in either half of the buffer. */
  turns(i: number): readonly [before: Moving, after: Moving] {
    const [buffer, room] = [this.buffers[i]!, roomFor(this.tensors[i]!)]
    return [
      { buffer, offset: 0, stride: room, period: 2 },
      { buffer, offset: room, stride: -room, period: 2 },
    ]
  }
  /** @param turns rounds that did not copy it back. */
  finish(unit: Unit, turns = 0): void {
    for (const to of unit.outputs) {
      const buffer = this.buffers[to.index]
      if (!buffer) continue
      const offset = (turns % 2) * roomFor(to)
      this.memory.device.move(buffer, offset, this.memory.bufferOf(to), 0, bytesOf(to))
    }
  }
}
