// From a bound graph to an executable: passes, placement, partition, and a program for each device.
import { formatDeviceName } from '../graph/deviceName.ts'
import type { Graph, Node } from '../graph/graph.ts'
import { toposort } from '../graph/graph.ts'
import { expandComposites } from '../passes/expandComposites.ts'
import { inline } from '../passes/inline.ts'
import type { Pass } from '../passes/pass.ts'
import { requiredPasses } from '../passes/index.ts'
import { pipeline } from '../passes/pass.ts'
import type { VariableResource } from '../resource.ts'
import { partition } from '../place/partition.ts'
import { nameDevices, place } from '../place/place.ts'
import { after, all } from '../run/awaitable.ts'
import type { Awaitable, Device } from '../run/device.ts'
import type { VariableUse } from '../run/executable.ts'
import { Executable } from '../run/executable.ts'
import type { StagedGraph } from '../run/staged.ts'
import { cutStages } from '../run/staged.ts'
import type { VariableStore } from '../run/variables.ts'
import { isConcrete } from '../shape.ts'
import type { BoundGraph } from './bind.ts'
import { compileProgram } from './compile.ts'
import { effectsOf } from '../graph/effects.ts'
import { orderEffects } from './effects.ts'

/** What a graph is compiled for. */
export interface CompileTarget {
  readonly devices: readonly Device[]
  readonly variables: VariableStore
  readonly passes: Pass
  readonly fusion: boolean
  readonly softPlacement: boolean
  /** Told when a node runs on another device than it asked for. */
  readonly log: (line: string) => void
}

/** Compiles a bound graph; one with sizes that only a run can tell is cut into stages instead. */
export function compileGraph(bound: BoundGraph, target: CompileTarget): Awaitable<Executable | StagedGraph> {
  const staged = cutStages({ ...bound, graph: openUnknown(bound.graph) })
  if (staged) return staged
  const graph = pipeline(target.passes, ...requiredPasses).run(bound.graph)
  const named = nameDevices(target.devices)
  const placed = place(
    toposort({ fetches: [...bound.feeds, ...graph.fetches], targets: graph.targets }),
    named,
    {
      soft: target.softPlacement,
      log: target.log,
      deviceOf: (resource) => target.variables.deviceOf(resource),
    },
  )
  const parts = partition(graph, bound.feeds, placed)
  const shares = parts.map((part) => {
    const device = target.devices[part.device]!
    const context = {
      device,
      deviceName: formatDeviceName(named[part.device]!.name),
      fusion: target.fusion,
      variable: (r: VariableResource) => target.variables.bufferOf(r, device),
    }
    return after(compileProgram(part.graph, part.inputs, context), (program) => ({
      program,
      feeds: part.feeds,
      fetches: part.fetches,
    }))
  })
  return after(all(shares), (ready) => new Executable(ready, graph.fetches.length, variableUse(graph)))
}

/** Opens what makes or takes unknown sizes, so that the cut can go through composites. */
function openUnknown(graph: Graph): Graph {
  const known = toposort(graph).every((node) => node.outputs.every((t) => isConcrete(t.shape)))
  return known ? graph : pipeline(inline, expandComposites).run(graph)
}

/** Which variables must have a value before a graph runs, and which have one afterwards. */
export function variableUse(graph: Graph): VariableUse {
  const demanded = new Map<VariableResource, Node>()
  const assigned = new Set<VariableResource>()
  for (const node of orderEffects(toposort(graph)).nodes) {
    const { reads, writes } = effectsOf(node)
    const sets =
      node.op.body.kind === 'runtime' && node.op.body.role === 'assign' && node.attrs['update'] === 'set'
    for (const resource of new Set([...reads, ...writes])) {
      if (resource.kind !== 'variable') continue
      if (!(sets && writes.has(resource)) && !assigned.has(resource) && !demanded.has(resource))
        demanded.set(resource, node)
      if (sets && writes.has(resource)) assigned.add(resource)
    }
  }
  return { demanded, assigned }
}
