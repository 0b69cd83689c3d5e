// Which nodes must be together, and where they may be: state is at one place, and what touches it goes there.
import type { AnyResource, DeviceName, Node, VariableResource } from '@shoal/core'
import {
  dtypes,
  effectsOf,
  formatDeviceName,
  isConcrete,
  label,
  matchesDevice,
  parseDeviceName,
  PlacementError,
  sizeOf,
} from '@shoal/core'
import type { DeviceModel } from './machine.ts'

/** Nodes that must be on one device. */
export interface NodeGroup {
  /** The devices that may run all of them. */
  readonly candidates: readonly number[]
  /** Memory of the variables that they touch. */
  readonly variableBytes: number
}

/** What ties nodes to each other and to devices, besides what they ask for. */
export interface Ties {
  readonly colocations?: readonly (readonly Node[])[]
  readonly homeOf?: (resource: AnyResource) => string | undefined
}

/** The groups of some nodes, and for each node which it is in. @throws PlacementError for nodes that no device may run together. */
export function groupNodes(
  nodes: readonly Node[],
  devices: readonly DeviceModel[],
  { colocations = [], homeOf }: Ties,
): { readonly groups: readonly NodeGroup[]; readonly groupOf: readonly number[] } {
  const position = new Map(nodes.map((node, i) => [node, i]))
  const sets = new DisjointSets(nodes.length)
  const touched = nodes.map(resourcesOf)
  const firstToTouch = new Map<unknown, number>()
  touched.forEach((resources, i) => {
    for (const key of resources.map(stateOf)) {
      sets.join(firstToTouch.get(key) ?? i, i)
      if (!firstToTouch.has(key)) firstToTouch.set(key, i)
    }
  })
  for (const together of colocations) {
    const known = together.flatMap((node) => position.get(node) ?? [])
    known.forEach((i) => sets.join(known[0]!, i))
  }
  const members = Map.groupBy(position.values(), (i) => sets.find(i))
  const groupOf = new Array<number>(nodes.length)
  const names = devices.map(({ name }) => parseDeviceName(name))
  const groups = [...members.values()].map((list, group): NodeGroup => {
    list.forEach((i) => (groupOf[i] = group))
    const resources = [...new Map(list.flatMap((i) => touched[i]!).map((r) => [stateOf(r), r])).values()]
    return {
      candidates: candidatesOf(
        list.map((i) => nodes[i]!),
        resources.flatMap((resource) => wantedHome(resource, homeOf)),
        devices,
        names,
      ),
      variableBytes: resources.reduce((sum, r) => sum + (r.kind === 'variable' ? bytesOf(r) : 0), 0),
    }
  })
  return { groups, groupOf }
}

function resourcesOf(node: Node): AnyResource[] {
  const { reads, writes } = effectsOf(node)
  return [...reads, ...writes]
}

/** What a session finds the state of a resource by: kind and name, but for random streams, each of which is its own. */
const stateOf = (resource: AnyResource): unknown =>
  resource.kind === 'random' ? resource : `${resource.kind} ${resource.name}`

/** Where a resource is, or is to be: a variable lives where its initial value is made. */
function wantedHome(resource: AnyResource, homeOf: Ties['homeOf']): string[] {
  const home = homeOf?.(resource)
  if (home !== undefined) return [home]
  const device = resource.kind === 'variable' ? resource.initial?.node.device : undefined
  return device ? [device] : []
}

const bytesOf = ({ type }: VariableResource): number =>
  isConcrete(type.shape) ? sizeOf(type.shape) * dtypes[type.dtype].bytes : 0

/** The devices that run all nodes and are all homes. Nodes are taken up one by one, so that an error can name the one that leaves nothing. */
function candidatesOf(
  nodes: readonly Node[],
  homes: readonly string[],
  devices: readonly DeviceModel[],
  names: readonly DeviceName[],
): number[] {
  const all = names.map((_, i) => i)
  const fitting = (partial: string, list: readonly number[]): number[] =>
    list.filter((i) => matchesDevice(parseDeviceName(partial), names[i]!))
  const say = (list: readonly number[]): string => list.map((i) => formatDeviceName(names[i]!)).join(', ')
  const [first] = nodes
  let left = homes.reduce((list, home) => fitting(home, list), all)
  if (left.length === 0)
    throw new PlacementError(
      `what it touches is at ${homes.map((home) => `'${home}'`).join(' and ')}; no device of ${say(all)} is there`,
      { node: first! },
    )
  for (const node of nodes) {
    const able = left.filter((i) => devices[i]!.canRun?.(node) ?? true)
    if (able.length === 0) throw new PlacementError(`none of ${say(left)} can run it`, { node })
    const next = fitting(node.device, able)
    if (next.length === 0)
      throw new PlacementError(
        node === first || left.length === all.length
          ? `asks for '${node.device}'; it can run on ${say(able)}`
          : `asks for '${node.device}'; it must be with ${label(first!)}, which can be on ${say(able)}`,
        { node },
      )
    left = next
  }
  return left
}

/** Which numbers belong together. */
class DisjointSets {
  private readonly parents: number[]
  constructor(count: number) {
    this.parents = Array.from({ length: count }, (_, i) => i)
  }
  /** The least number of a set. */
  find(i: number): number {
    let root = i
    while (this.parents[root] !== root) root = this.parents[root]!
    // The next search is short.
    for (let at = i; at !== root; ) {
      const next = this.parents[at]!
      this.parents[at] = root
      at = next
    }
    return root
  }
  join(a: number, b: number): void {
    const [x, y] = [this.find(a), this.find(b)]
    this.parents[Math.max(x, y)] = Math.min(x, y)
  }
}
