// From the graph of one device to a program: order, units, plan and steps.
import { GraphError } from '../errors.ts'
import type { Graph, Node, Subgraph, Tensor } from '../graph/graph.ts'
import type { Footprint } from '../passes/recompute.ts'
import { recompute } from '../passes/recompute.ts'
import { schedule } from '../passes/schedule.ts'
import type { VariableResource } from '../resource.ts'
import { after, otherwise } from '../run/awaitable.ts'
import type { Awaitable, Buffer, Device } from '../run/device.ts'
import { Flights } from '../run/flights.ts'
import type { VariableStore } from '../run/variables.ts'
import type { Nested } from '../run/program.ts'
import { Memory, Program } from '../run/program.ts'
import { prepareSteps } from '../run/steps.ts'
import { formatShape, isConcrete } from '../shape.ts'
import { orderEffects } from './effects.ts'
import { bytesOf } from './bytesOf.ts'
import type { Plan } from './plan.ts'
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
  readonly variables: VariableStore
  /** Slots may take so many bytes; what can be computed again is, while they take more. */
  readonly maxActivationBytes?: number | undefined
  /** Told when they take more all the same. */
  readonly log: (line: string) => void
}

/**
 * Makes a graph without composites, calls or unknown sizes ready for one device.
 * @param inputs its feeds or parameters, in the order in which `Program.run` takes them.
 * @param lent memory that the caller lends for some of the inputs.
 */
export function compileProgram(
  given: Graph,
  inputs: readonly Tensor[],
  context: ProgramContext,
  lent: ReadonlyMap<Tensor, Buffer> = new Map(),
  ownFetches = false,
): Awaitable<Program> {
  const { device, maxActivationBytes } = context
  const planOf = (graph: Graph): Plan => {
    const effects = orderEffects(schedule(withInputs(graph, inputs)))
    effects.nodes.forEach(demandKnownSizes)
    const units = cutUnits(effects, {
      device,
      limits: { enabled: context.fusion, maxOperations, maxBuffers: device.caps.maxBuffers },
      kept: new Set([...graph.fetches, ...inputs, ...graph.targets.flatMap((node) => node.outputs)]),
      taken: new Set(ownFetches ? graph.fetches : []),
    })
    return plan(units, effects, { fetches: graph.fetches, ownFetches, given: new Set(lent.keys()) })
  }
  const graph =
    maxActivationBytes === undefined
      ? given
      : recompute({ maxBytes: maxActivationBytes, footprint: (g) => footprintOf(planOf(g)) }).run(given)
  const planned = planOf(graph)
  const slotBytes = planned.slots.reduce((sum, bytes) => sum + bytes, 0)
  if (maxActivationBytes !== undefined && slotBytes > maxActivationBytes)
    context.log(
      `on ${context.deviceName} feeds and intermediate values take ${slotBytes} bytes: maxActivationBytes, ${maxActivationBytes}, ` +
        'cannot be met by computing values again; smaller batches take less',
    )
  const variable = (resource: VariableResource): Buffer => context.variables.bufferOf(resource, device)
  const memory = new Memory(device, planned, lent, variable, ownFetches ? graph.fetches : [])
  const nested: Nested[] = []
  const flights = new Flights()
  // Bodies that are ready only after another step has failed are freed at once.
  let failed = false
  const compileBody = (body: Subgraph, params: readonly (Buffer | undefined)[]): Awaitable<Program> => {
    const theirs = new Map(body.params.flatMap((t, i) => (params[i] ? [[t, params[i]] as const] : [])))
    return after(compileProgram(body, body.params, context, theirs, true), (program) => {
      if (failed) program.free()
      return program
    })
  }
  const fail = (error: unknown): never => {
    failed = true
    nested.forEach(({ program }) => program.free())
    memory.free()
    throw error
  }
  const steps = otherwise(
    () =>
      prepareSteps(planned.units, {
        memory,
        variable,
        variables: context.variables,
        compileBody,
        nested,
        flights,
      }),
    fail,
  )
  return after(
    steps,
    (ready) =>
      new Program({
        memory,
        inputs,
        fetches: graph.fetches,
        steps: ready,
        nested,
        flights,
        deviceName: context.deviceName,
        maxActivationBytes,
      }),
  )
}

function footprintOf({ units, slots, storageOf, source }: Plan): Footprint {
  return {
    bytes: slots.reduce((sum, bytes) => sum + bytes, 0),
    steps: units.filter(({ kind }) => kind !== 'alias').map(({ nodes }) => nodes),
    held: (t) => {
      const storage = storageOf(t)
      return source(t) === t && storage.kind === 'slot' && storage.slot !== undefined ? bytesOf(t) : 0
    },
  }
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
