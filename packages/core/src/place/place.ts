// Chooses a device for every node: where it asks to be, if that can run it; with the variables that it touches; else the first that can.
import { label, PlacementError } from '../errors.ts'
import { isRelabelling } from '../compile/fuse.ts'
import type { DeviceName } from '../graph/deviceName.ts'
import { formatDeviceName, matchesDevice, parseDeviceName } from '../graph/deviceName.ts'
import { bodiesOf, effectsOf } from '../graph/effects.ts'
import type { Node, Tensor } from '../graph/graph.ts'
import { toposort } from '../graph/graph.ts'
import type { AnyResource, VariableResource } from '../resource.ts'
import type { Device, DeviceCaps } from '../run/device.ts'
import type { ConcreteType } from '../shape.ts'
import { scatterSignature } from './scatterSignature.ts'

/** What of a device is to be known to place nodes on it; the device itself may be elsewhere. */
export interface PlaceableDevice extends Pick<Device, 'type' | 'supports'> {
  readonly caps: Pick<DeviceCaps, 'dtypes'>
}

/** A device and its whole name. */
export interface NamedDevice<D = Device> {
  readonly device: D
  readonly name: DeviceName
}

type Placeable = NamedDevice<PlaceableDevice>

/** Devices of one process, named by type and position: `/job:localhost/task:0/device:cpu:0`. */
export function nameDevices(devices: readonly Device[], job = 'localhost', task = 0): NamedDevice[] {
  return devices.map((device, i) => ({
    device,
    name: {
      job,
      task,
      type: device.type,
      index: devices.slice(0, i).filter((d) => d.type === device.type).length,
    },
  }))
}

/** What placing may assume. */
export interface PlaceOptions {
  /** May a node run elsewhere when the device that it asks for cannot run it? */
  readonly soft: boolean
  /** Told once for each device that was asked for and could not be had. */
  readonly log?: (line: string) => void
  /** Where a variable lives already, as an index into the devices. */
  deviceOf(resource: VariableResource): number | undefined
}

/** The device of every node, as an index into `devices`. @throws PlacementError */
export function place(
  nodes: readonly Node[],
  devices: readonly Placeable[],
  options: PlaceOptions,
): Map<Node, number> {
  const placed = new Map<Node, number>()
  if (devices.length === 1) {
    // One device has to do: where nodes ask to be matters only to those who insist.
    for (const node of nodes) {
      if (!options.soft) candidates(node, devices, options)
      else if (!canRun(devices[0]!.device, node)) throw homeless(node, devices)
      placed.set(node, 0)
    }
    tellMisplaced(placed, devices, options.log)
    return placed
  }
  const homes = new Map<AnyResource, number>()
  const possibleFor = new Map(nodes.map((node) => [node, candidates(node, devices, options)] as const))
  const shared = sharedCandidates(nodes, possibleFor)
  for (const node of nodes) {
    const touched = touchedVariables(node)
    const home = touched.map((r) => homes.get(r) ?? options.deviceOf(r)).find((i) => i !== undefined)
    const possible = possibleFor.get(node)!
    // A variable is best where everything that touches it can run.
    const chosen = home ?? possible.find((i) => touched.every((r) => shared.get(r)!.has(i))) ?? possible[0]!
    if (home !== undefined && !possible.includes(home)) demandSoft(node, home, devices, options)
    for (const resource of touched) {
      const other = homes.get(resource) ?? options.deviceOf(resource)
      if (other !== undefined && other !== chosen)
        throw new PlacementError(
          `touches variables on ${nameOf(devices, chosen)} and ${nameOf(devices, other)}: put them on one device`,
          { node },
        )
      homes.set(resource, chosen)
    }
    placed.set(node, chosen)
  }
  tellMisplaced(placed, devices, options.log)
  return placed
}

/** A node runs where its variable lives, also if it asks for another device and that may be overruled. @throws PlacementError */
function demandSoft(node: Node, home: number, devices: readonly Placeable[], { soft }: PlaceOptions): void {
  const [resource] = touchedVariables(node) as [VariableResource]
  const place = nameOf(devices, home)
  if (!soft)
    throw new PlacementError(`asks for '${node.device}', but its variable lives on ${place}`, { node })
  if (canRun(devices[home]!.device, node)) return
  const dtypes = [...new Set(node.inputs.map((t) => t.dtype))].join(', ')
  throw new PlacementError(
    `changes '${resource.name}' on ${place}, which cannot do that with ${dtypes}: cast the inputs (indices to int32), or make the variable on another device`,
    { node },
  )
}

/** For each variable, the devices that can run all nodes that touch it. */
function sharedCandidates(
  nodes: readonly Node[],
  possibleFor: ReadonlyMap<Node, readonly number[]>,
): Map<AnyResource, ReadonlySet<number>> {
  const shared = new Map<AnyResource, ReadonlySet<number>>()
  for (const node of nodes)
    for (const resource of touchedVariables(node)) {
      const possible = new Set(possibleFor.get(node))
      shared.set(resource, shared.get(resource)?.intersection(possible) ?? possible)
    }
  return shared
}

/** Says where nodes went that asked for a device which is not there or cannot run them. */
function tellMisplaced(
  placed: ReadonlyMap<Node, number>,
  devices: readonly Placeable[],
  log: PlaceOptions['log'],
): void {
  if (!log) return
  const moved = new Map<string, { readonly node: Node; count: number }>()
  for (const [node, i] of placed) {
    if (node.device === '' || matchesDevice(parseDeviceName(node.device), devices[i]!.name)) continue
    const line = `${node.device} was asked for, ${nameOf(devices, i)} taken`
    const known = moved.get(line)
    if (known) known.count++
    else moved.set(line, { node, count: 1 })
  }
  for (const [line, { node, count }] of moved)
    log(`placement: ${line}, for ${label(node)}${count > 1 ? ` and ${count - 1} more` : ''}`)
}

const nameOf = (devices: readonly Placeable[], i: number): string => formatDeviceName(devices[i]!.name)

const namesOf = (devices: readonly Placeable[]): string =>
  devices.map((_, i) => nameOf(devices, i)).join(', ')

function touchedVariables(node: Node): VariableResource[] {
  const { reads, writes } = effectsOf(node)
  return [...reads, ...writes].filter((r) => r.kind === 'variable')
}

/** The devices that may run a node, best first. */
function candidates(node: Node, devices: readonly Placeable[], { soft }: PlaceOptions): number[] {
  const all = devices.map((_, i) => i)
  const wanted = all.filter((i) => matchesDevice(parseDeviceName(node.device), devices[i]!.name))
  if (wanted.length === 0 && !soft)
    throw new PlacementError(
      `asks for '${node.device}', and softPlacement is false; the session has ${namesOf(devices)}`,
      { node },
    )
  const able = (list: readonly number[]): number[] => list.filter((i) => canRun(devices[i]!.device, node))
  const best = able(wanted)
  if (best.length > 0) return best
  if (wanted.length > 0 && !soft)
    throw new PlacementError(
      `asks for '${node.device}', which cannot run it on these dtypes, and softPlacement is false: leave that out, or ask for another device`,
      { node },
    )
  const others = able(all)
  if (others.length === 0) throw homeless(node, devices)
  return others
}

/** What to say of a node that no device can run; of the one in its bodies that is to blame, where there is one. */
function homeless(node: Node, devices: readonly Placeable[]): PlacementError {
  const blamed = bodiesOf(node)
    .flatMap((body) => toposort(body))
    .find((inner) => !devices.some(({ device }) => canRun(device, inner)))
  if (blamed) return homeless(blamed, devices)
  const types = [...new Set([...node.inputs, ...node.outputs].map((t) => t.dtype))]
  const missing = types.filter((dtype) => !devices.some(({ device }) => device.caps.dtypes.has(dtype)))
  const fault = missing.length > 0 ? `has ${missing.join(' or ')}` : `runs it on ${types.join(', ')}`
  return new PlacementError(
    `no device of the session ${fault}: it has ${namesOf(devices)}; add one that can, such as cpu(), to its devices`,
    { node },
  )
}

/** Can a device run a node, with everything in its bodies? */
export function canRun(device: PlaceableDevice, node: Node): boolean {
  const { body } = node.op
  const holds = (t: Tensor): boolean => device.caps.dtypes.has(t.dtype)
  if (body.kind === 'runtime') {
    if (body.role === 'scatter') return device.supports('TensorScatter', scatterSignature(node))
    if (body.role === 'readVariable' || body.role === 'assign') return node.outputs.every(holds)
    return bodiesOf(node).every((b) => toposort(b).every((inner) => canRun(device, inner)))
  }
  // Strings stay on the host, and so do those of them that only get another shape.
  if (body.kind === 'view' && node.inputs[0]!.dtype === 'string') return isRelabelling(node)
  if (![...node.inputs, ...node.outputs].every(holds)) return false
  if (body.kind !== 'kernel') return true
  return device.supports(node.op.name, {
    inputs: node.inputs.map((t) => t.type as ConcreteType),
    outputs: node.outputs.map((t) => t.type as ConcreteType),
    attrs: node.attrs,
  })
}
