// From the graph of one device to a program: order, units, plan and steps.
import { GraphError } from '../errors.ts'
import type { Graph, Node, Subgraph, Tensor } from '../graph/graph.ts'
import { schedule } from '../passes/schedule.ts'
import type { VariableResource } from '../resource.ts'
import { after } from '../run/awaitable.ts'
import type { Awaitable, Buffer, Device } from '../run/device.ts'
import { Memory, Program } from '../run/program.ts'
import { prepareSteps } from '../run/steps.ts'
import { formatShape, isConcrete } from '../shape.ts'
import { orderEffects } from './effects.ts'
import { plan } from './plan.ts'
import { cutUnits } from './units.ts'

/** Operations in one fused expression at most: larger ones would spill registers and take long to compile. */
const maxOperations = 160

/** What a program stands in. */
export interface ProgramContext {
  readonly device: Device
  /** The whole name of the device, for traces. */
  readonly deviceName: string
  readonly fusion: boolean
  /** The memory of a variable on this device. */
  variable(resource: VariableResource): Buffer
}

/**
 * Makes a graph without composites, calls or unknown sizes ready for one device.
 * @param inputs its feeds or parameters, in the order in which `Program.run` takes them.
 * @param given memory that the caller lends for some of the inputs.
 */
export function compileProgram(
  graph: Graph,
  inputs: readonly Tensor[],
  context: ProgramContext,
  given: ReadonlyMap<Tensor, Buffer> = new Map(),
  ownFetches = false,
): Awaitable<Program> {
  const { device } = context
  const effects = orderEffects(schedule(withInputs(graph, inputs)))
  effects.nodes.forEach(demandKnownSizes)
  const kept = new Set([...graph.fetches, ...inputs])
  const units = cutUnits(effects, kept, {
    enabled: context.fusion,
    maxOperations,
    maxBuffers: device.caps.maxBuffers,
  })
  const planned = plan(units, effects, { fetches: graph.fetches, ownFetches, given: new Set(given.keys()) })
  const memory = new Memory(device, planned, given, (resource) => context.variable(resource))
  const nested: Program[] = []
  const compileBody = (body: Subgraph, params: readonly (Buffer | undefined)[]): Awaitable<Program> => {
    const lent = new Map(body.params.flatMap((t, i) => (params[i] ? [[t, params[i]] as const] : [])))
    return compileProgram(body, body.params, context, lent, true)
  }
  const steps = prepareSteps(planned.units, {
    memory,
    variable: (resource) => context.variable(resource),
    compileBody,
    nested,
  })
  return after(
    steps,
    (ready) =>
      new Program({
        memory,
        inputs,
        fetches: graph.fetches,
        steps: ready,
        nested,
        deviceName: context.deviceName,
      }),
  )
}

/** A graph is cut where sizes become known, but the body of a branch or loop cannot be. */
function demandKnownSizes(node: Node): void {
  const t = node.inputs.find(({ shape }) => !isConcrete(shape))
  if (t)
    throw new GraphError(
      `reads '${t.name}' of shape ${formatShape(t.shape)}, a size that only a run can tell: compute it outside the branch or loop`,
      { node },
    )
}

/** Feeds that nothing reads are inputs all the same. */
const withInputs = (graph: Graph, inputs: readonly Tensor[]): Graph => ({
  fetches: [...inputs, ...graph.fetches],
  targets: graph.targets,
})
