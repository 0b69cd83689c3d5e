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
import { after, allOrNone } from '../run/awaitable.ts'
import type { Awaitable, Device } from '../run/device.ts'
import type { Declarations } from '../run/declarations.ts'
import type { Share } from '../run/executable.ts'
import { Executable } from '../run/executable.ts'
import { resourcesOf } from '../run/initialize.ts'
import type { StagedGraph } from '../run/staged.ts'
import { cutStages } from '../run/staged.ts'
import type { VariableStore } from '../run/variables.ts'
import { isConcrete } from '../shape.ts'
import type { BoundGraph } from './bind.ts'
import { compileProgram } from './compile.ts'
import { bodiesOf, effectsOf } from '../graph/effects.ts'
import { orderEffects } from './effects.ts'

/** What a graph is compiled for. */
export interface CompileTarget {
  readonly devices: readonly Device[]
  readonly declarations: Declarations
  readonly variables: VariableStore
  readonly passes: Pass
  readonly fusion: boolean
  readonly maxActivationBytes?: number | undefined
  readonly softPlacement: boolean
  /** Told when a node runs on another device than it asked for, and when `maxActivationBytes` cannot be met. */
  readonly log: (line: string) => void
}

/**
 * Compiles a bound graph; one with sizes that only a run can tell is cut into stages instead.
 * @throws NameError when it refers to two resources of one kind and name, or to another one than earlier graphs did.
 */
export function compileGraph(bound: BoundGraph, target: CompileTarget): Awaitable<Executable | StagedGraph> {
  resourcesOf(bound.graph).forEach((resource) => target.declarations.claim(resource))
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
  const shares = parts.map((part) => (): Awaitable<Share> => {
    const context = {
      device: target.devices[part.device]!,
      deviceName: formatDeviceName(named[part.device]!.name),
      fusion: target.fusion,
      maxActivationBytes: target.maxActivationBytes,
      variables: target.variables,
      log: target.log,
    }
    return after(compileProgram(part.graph, part.inputs, context), (program) => ({
      program,
      feeds: part.feeds,
      fetches: part.fetches,
    }))
  })
  return after(
    allOrNone(shares, ({ program }) => program.free()),
    (ready) => new Executable(ready, graph.fetches.length, demandedBy(graph)),
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
