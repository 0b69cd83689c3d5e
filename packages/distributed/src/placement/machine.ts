// The machines that a graph is to be spread over, as numbers: how fast the devices compute, and how fast tensors get from one to another.
import type { DeviceName, Node } from '@shoal/core'
import { formatDeviceName, matchesDevice, parseDeviceName, ValueError } from '@shoal/core'

/** A device, as far as it matters to where work is put. */
export interface DeviceModel {
  /** The whole name: '/job:worker/task:0/device:cpu:0'. */
  readonly name: string
  /** Floating-point operations a second that it reaches. */
  readonly flopsPerSecond: number
  /** Bytes a second that it reads from and writes to its memory. */
  readonly bytesPerSecond: number
  /** What starting one node takes, in seconds. Default 5e-6. */
  readonly secondsPerNode?: number
  /** Its memory, in bytes. Default: no limit. */
  readonly maxBytes?: number
  /** Can it run a node? Default: any. */
  readonly canRun?: (node: Node) => boolean
}

/** A way from one device to another, used by one tensor after the other. */
export interface Link {
  readonly bytesPerSecond: number
  /** What passes until the first byte is there, in seconds. */
  readonly latencySeconds: number
}

/** A link for the devices whose names fit. */
export interface LinkRule extends Link {
  /** Device names in part, as in '/job:ps' and 'webgpu'. Default: any device. */
  readonly from?: string
  readonly to?: string
}

/** Devices, and the links between them. */
export interface Machine {
  readonly devices: readonly DeviceModel[]
  /**
   * The first that fits is the link between two devices. Devices of one task have a link of their own for each pair; two tasks share one link for
   * all their devices, each way.
   */
  readonly links: readonly LinkRule[]
}

/** Copies between devices of one task: memory, and what it takes to start one. */
const withinTask: Link = { bytesPerSecond: 5e9, latencySeconds: 1e-5 }

/**
 * Devices whose tasks are all connected alike; devices of one task reach each other at 5 GB/s after 10 µs unless `within` says otherwise.
 * @throws ValueError as `checkMachine`.
 */
export function uniformMachine(
  devices: readonly DeviceModel[],
  between: Link,
  within: Link = withinTask,
): Machine {
  const tasks = [...new Set(devices.map(({ name }) => taskOf(parseDeviceName(name))))]
  const machine = {
    devices,
    links: [...tasks.map((task) => ({ ...within, from: task, to: task })), { ...between }],
  }
  checkMachine(machine)
  return machine
}

/** The task of a device: '/job:worker/task:0'. */
export const taskOf = ({ job, task }: DeviceName): string =>
  formatDeviceName({ ...(job !== undefined && { job }), ...(task !== undefined && { task }) })

/** The link from one device to another. @throws ValueError where no rule fits. */
export function linkBetween({ links }: Machine, from: DeviceName, to: DeviceName): Link {
  const fits = (partial: string | undefined, whole: DeviceName): boolean =>
    partial === undefined || matchesDevice(parseDeviceName(partial), whole)
  const found = links.find((link) => fits(link.from, from) && fits(link.to, to))
  if (found) return found
  throw new ValueError(
    `no link leads from ${formatDeviceName(from)} to ${formatDeviceName(to)}: add one without from and to for all others`,
  )
}

/** @throws ValueError for a device without a whole name or a name that two have, for a speed that is none, and for no devices at all. */
export function checkMachine({ devices, links }: Machine): void {
  if (devices.length === 0) throw new ValueError('a machine needs at least one device')
  const names = new Set<string>()
  for (const { name, flopsPerSecond, bytesPerSecond, secondsPerNode = 0, maxBytes = 0 } of devices) {
    const parts = parseDeviceName(name)
    if (Object.keys(parts).length < 4)
      throw new ValueError(`'${name}' is no whole device name, as '/job:worker/task:0/device:cpu:0' is`)
    if (names.has(formatDeviceName(parts))) throw new ValueError(`two devices are named '${name}'`)
    names.add(formatDeviceName(parts))
    demand(flopsPerSecond > 0, `flopsPerSecond of '${name}'`, 'more than 0', flopsPerSecond)
    demand(bytesPerSecond > 0, `bytesPerSecond of '${name}'`, 'more than 0', bytesPerSecond)
    demand(secondsPerNode >= 0, `secondsPerNode of '${name}'`, 'a number from 0', secondsPerNode)
    demand(maxBytes >= 0, `maxBytes of '${name}'`, 'a number from 0', maxBytes)
  }
  for (const { from = 'any', to = 'any', bytesPerSecond, latencySeconds } of links) {
    demand(bytesPerSecond > 0, `bytesPerSecond from ${from} to ${to}`, 'more than 0', bytesPerSecond)
    demand(latencySeconds >= 0, `latencySeconds from ${from} to ${to}`, 'a number from 0', latencySeconds)
  }
}

function demand(holds: boolean, what: string, wanted: string, got: number): void {
  if (!holds) throw new ValueError(`${what} must be ${wanted}, got ${got}`)
}
