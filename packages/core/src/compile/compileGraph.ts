// From a bound graph to an executable: passes, placement and partition, which need only know the devices; then a program for each device.
import { formatDeviceName } from '../graph/deviceName.ts'
import type { Graph, Node } from '../graph/graph.ts'
import { toposort } from '../graph/graph.ts'
import { expandComposites } from '../passes/expandComposites.ts'
import { inline } from '../passes/inline.ts'
import { requiredPasses } from '../passes/index.ts'
import { pipeline } from '../passes/pass.ts'
import type { VariableResource } from '../resource.ts'
import type { Partition } from '../place/partition.ts'
import { partition } from '../place/partition.ts'
import type { NamedDevice, PlaceableDevice } from '../place/place.ts'
import { place } from '../place/place.ts'
import { after, allOrNone } from '../run/awaitable.ts'
import type { Awaitable } from '../run/device.ts'
import type { Share } from '../run/executable.ts'
import { LocalExecutable } from '../run/executable.ts'
import type { StagedGraph } from '../run/staged.ts'
import { cutStages } from '../run/staged.ts'
import type { CompileOptions } from '../run/target.ts'
import type { VariableStore } from '../run/variables.ts'
import { isConcrete } from '../shape.ts'
import type { BoundGraph } from './bind.ts'
import { compileProgram } from './compile.ts'
import { bodiesOf, effectsOf } from '../graph/effects.ts'
import { orderEffects } from './effects.ts'

/** Where a graph is to be placed. */
export interface PlaceTarget {
  readonly devices: readonly NamedDevice<PlaceableDevice>[]
  /** Where a variable lives already, as an index into `devices`. */
  deviceOf(variable: VariableResource): number | undefined
}

/** What the partitions of a graph are compiled for. */
export interface PartsTarget extends Pick<CompileOptions, 'fusion' | 'maxActivationBytes' | 'log'> {
  /** The partitions say by number which of these they are for. */
  readonly devices: readonly NamedDevice[]
  readonly variables: VariableStore
}

/** A bound graph, or its stages where it has sizes that only a run can tell. */
export const stagesOf = (bound: BoundGraph): StagedGraph | undefined =>
  cutStages({ ...bound, graph: openUnknown(bound.graph) })

/** Optimises and places a bound graph whose sizes are all known, and cuts it into a partition for each device that takes part. */
export function planGraph(
  { graph: given, feeds }: BoundGraph,
  { devices, deviceOf }: PlaceTarget,
  { passes, softPlacement, log }: CompileOptions,
): { readonly graph: Graph; readonly parts: readonly Partition[] } {
  const graph = pipeline(passes, ...requiredPasses).run(given)
  const nodes = toposort({ fetches: [...feeds, ...graph.fetches], targets: graph.targets })
  const placed = place(nodes, devices, { soft: softPlacement, log, deviceOf })
  const names = devices.map(({ name }) => formatDeviceName(name))
  return { graph, parts: partition(graph, feeds, placed, names) }
}

/** Compiles partitions that fetch `fetchCount` values together. */
export function compileParts(
  parts: readonly Partition[],
  fetchCount: number,
  { devices, ...target }: PartsTarget,
): Awaitable<LocalExecutable> {
  const shares = parts.map((part) => (): Awaitable<Share> => {
    const { device, name } = devices[part.device]!
    const context = { ...target, device, deviceName: formatDeviceName(name) }
    return after(compileProgram(part.graph, part.inputs, context), (program) => ({
      program,
      feeds: part.feeds,
      fetches: part.fetches,
    }))
  })
  const demanded = new Map(parts.flatMap(({ graph }) => [...demandedBy(graph)]))
  return after(
    allOrNone(shares, ({ program }) => program.free()),
    (ready) => new LocalExecutable(ready, fetchCount, target.variables, demanded),
  )
}

/** Opens what makes or takes unknown sizes, so that the cut can go through composites. */
function openUnknown(graph: Graph): Graph {
  const known = toposort(graph).every((node) => node.outputs.every((t) => isConcrete(t.shape)))
  return known ? graph : pipeline(inline, expandComposites).run(graph)
}

/**
 * The variables that surely need a value before a graph runs, each with the node that needs it: reads come before assignments, and bodies
 * of control flow may not run. What only a run can tell is asked for where the value is read.
 */
function demandedBy(graph: Graph): Map<VariableResource, Node> {
  const demanded = new Map<VariableResource, Node>()
  const settled = new Set<VariableResource>()
  for (const node of orderEffects(toposort(graph)).nodes) {
    const { reads, writes } = effectsOf(node)
    const certain = bodiesOf(node).length === 0
    const { body } = node.op
    const sets = body.kind === 'runtime' && body.role === 'assign' && node.attrs['update'] === 'set'
    for (const resource of new Set([...reads, ...writes])) {
      if (resource.kind !== 'variable' || settled.has(resource)) continue
      if (writes.has(resource) && (sets || !certain)) settled.add(resource)
      else if (certain && !demanded.has(resource)) demanded.set(resource, node)
    }
  }
  return demanded
}
