// Puts a graph where a step of it is soonest over: nodes weighed by what they compute and send, and scheduled by how urgent they are.
import type { AnyResource, Graph, Node, Tensor } from '@shoal/core'
import { formatDeviceName, parseDeviceName, PlacementError, toposort } from '@shoal/core'
import type { Machine } from './machine.ts'
import { checkMachine, linkBetween, taskOf } from './machine.ts'
import type { MeasuredTimes } from './measuredTimes.ts'
import type { Preference, Schedule } from './listSchedule.ts'
import { listSchedule } from './listSchedule.ts'
import { groupNodes } from './nodeGroups.ts'
import { nodeWork } from './nodeWork.ts'
import type { Problem } from './problem.ts'
import { urgency } from './problem.ts'

/** What placing may know besides the graph and the machine. */
export interface CostOptions {
  /** How large the named sizes of the graph are: `{ batch: 32 }`. */
  readonly sizes?: Readonly<Record<string, number>>
  /** Times from runs, which count for more than what operations and bytes tell; for a device without one they are scaled from another's. */
  readonly measured?: MeasuredTimes
  /** Nodes that must be on one device, besides those that touch the same variable or queue. */
  readonly colocations?: readonly (readonly Node[])[]
  /** The device, whole or in part, where a variable or queue is already; undefined: nowhere yet. */
  readonly homeOf?: (resource: AnyResource) => string | undefined
}

/** A node, and when it runs in seconds from the start of a step. */
export interface PlannedNode {
  readonly node: Node
  readonly device: string
  readonly startSeconds: number
  readonly finishSeconds: number
}

/** A tensor that is sent from one device to another, or only the news that its node is done. */
export interface PlannedTransfer {
  readonly node: Node
  /** Absent where a node only waits for another. */
  readonly tensor?: Tensor
  readonly from: string
  readonly to: string
  readonly bytes: number
  readonly startSeconds: number
  readonly finishSeconds: number
}

/** Where a graph goes, and what a step of it will be like. */
export interface CostPlacement {
  /** The whole name of the device of every node. Constants and feeds are copied to wherever they are read; here they are with their first reader. */
  readonly devices: ReadonlyMap<Node, string>
  /** How long a step takes. */
  readonly makespanSeconds: number
  /** In the order of the graph, without constants and feeds. */
  readonly nodes: readonly PlannedNode[]
  /** By the time at which they start. */
  readonly transfers: readonly PlannedTransfer[]
}

/**
 * Places a graph: schedules it by HEFT, once choosing the device where each node is done first, once the one with most memory left, and once
 * for every device on that alone as far as it may; the shortest step wins. So it is never slower than the best single device. Nodes stay on the
 * device that they ask for, with the variables and queues that they touch, and with those that they are colocated with. What a step makes counts
 * as held until its end, as the backward pass holds it, besides the variables. The same arguments give the same answer.
 * @throws PlacementError for nodes that no device may run, or that no memory suffices for; ShapeError for a size that is not in `sizes`;
 * ValueError for a machine that is none.
 */
export function placeByCost(graph: Graph, machine: Machine, options: CostOptions = {}): CostPlacement {
  checkMachine(machine)
  const order = toposort(graph)
  const nodes = order.filter((node) => !floats(node))
  const problem = problemOf(nodes, machine, options)
  const ranks = urgency(problem)
  const preferences: Preference[] = ['finish', 'room', ...machine.devices.map((_, device) => ({ device }))]
  const answers = preferences.map((preference) => listSchedule(problem, ranks, preference))
  const stuck = answers.filter((answer) => 'operation' in answer)
  const schedules = answers.filter((answer) => 'makespan' in answer)
  if (schedules.length === 0) throw noRoom(nodes[stuck[0]!.operation]!, problem, machine)
  const best = schedules.reduce((a, b) => (b.makespan < a.makespan ? b : a))
  return describe(order, nodes, best, machine)
}

/** Constants and feeds: made wherever they are read, at no cost. */
const floats = ({ op, control }: Node): boolean =>
  op.body.kind === 'runtime' && ['constant', 'feed', 'blank'].includes(op.body.role) && control.length === 0

function problemOf(nodes: readonly Node[], machine: Machine, options: CostOptions): Problem {
  const { devices } = machine
  const works = nodes.map((node) => nodeWork(node, devices, options))
  const { groups, groupOf } = groupNodes(nodes, devices, options)
  const position = new Map(nodes.map((node, i) => [node, i]))
  const operations = nodes.map((node, i) => {
    const data = [...new Set(node.inputs)].flatMap((t) => {
      const operation = position.get(t.node)
      if (operation === undefined) return []
      return [{ operation, output: t.index, bytes: works[operation]!.outputBytes[t.index]! }]
    })
    const orders = node.control.flatMap((before) => {
      const operation = position.get(before)
      return operation === undefined ? [] : [{ operation, output: -1, bytes: 0 }]
    })
    return { seconds: works[i]!.seconds, reads: [...data, ...orders], group: groupOf[i]! }
  })
  const held = groups.map(({ variableBytes }) => variableBytes)
  nodes.forEach((_, i) => (held[groupOf[i]!]! += works[i]!.heldBytes))
  const names = devices.map(({ name }) => parseDeviceName(name))
  const link = (from: number, to: number): ReturnType<Problem['link']> => {
    const [a, b] = [names[from]!, names[to]!]
    const { bytesPerSecond, latencySeconds } = linkBetween(machine, a, b)
    const tasks = [taskOf(a), taskOf(b)]
    const ends = tasks[0] === tasks[1] ? [formatDeviceName(a), formatDeviceName(b)] : tasks
    return { channel: ends.join(' to '), latencySeconds, secondsPerByte: 1 / bytesPerSecond }
  }
  const links = names.map((_, from) => names.map((_, to) => (from === to ? undefined : link(from, to))))
  return {
    operations,
    groups: groups.map(({ candidates }, i) => ({ candidates, bytes: held[i]! })),
    maxBytes: devices.map(({ maxBytes = Infinity }) => maxBytes),
    link: (from, to) => links[from]![to]!,
  }
}

function noRoom(node: Node, { groups, operations }: Problem, { devices }: Machine): PlacementError {
  const memory = devices.map(({ name, maxBytes }) => `${name} ${maxBytes ?? 'no limit'}`).join(', ')
  const total = groups.reduce((sum, { bytes }) => sum + bytes, 0)
  const most = operations.reduce((bytes, { group }) => Math.max(bytes, groups[group]!.bytes), 0)
  return new PlacementError(
    `no device has the memory for it with what is there already: the graph holds ${total} bytes, the most that must be together ${most}; ` +
      `devices have (bytes): ${memory}. Add devices, or take a smaller batch`,
    { node },
  )
}

function describe(
  order: readonly Node[],
  nodes: readonly Node[],
  schedule: Schedule,
  { devices }: Machine,
): CostPlacement {
  const nameOf = (device: number): string => devices[device]!.name
  const placed = new Map(nodes.map((node, i) => [node, nameOf(schedule.device[i]!)]))
  const readers = new Map<Node, string>()
  for (const node of nodes)
    for (const { node: input } of node.inputs) if (!readers.has(input)) readers.set(input, placed.get(node)!)
  return {
    devices: new Map(order.map((node) => [node, placed.get(node) ?? readers.get(node) ?? nameOf(0)])),
    makespanSeconds: schedule.makespan,
    nodes: nodes.map((node, i) => ({
      node,
      device: nameOf(schedule.device[i]!),
      startSeconds: schedule.start[i]!,
      finishSeconds: schedule.finish[i]!,
    })),
    transfers: schedule.transfers.map(({ reading, from, to, start, finish }) => {
      const node = nodes[reading.operation]!
      const tensor = node.outputs[reading.output]
      return {
        node,
        ...(tensor && { tensor }),
        from: nameOf(from),
        to: nameOf(to),
        bytes: reading.bytes,
        startSeconds: start,
        finishSeconds: finish,
      }
    }),
  }
}
