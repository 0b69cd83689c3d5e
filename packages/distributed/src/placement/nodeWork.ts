// How long a node takes on each device: as measured, or else as long as its operations or its bytes take, whichever is longer.
import type { Node } from '@shoal/core'
import { nodeCost } from '@shoal/core'
import type { DeviceModel } from './machine.ts'
import type { MeasuredTimes } from './measuredTimes.ts'

/** What one node means to the devices. */
export interface NodeWork {
  /** On each device. */
  readonly seconds: readonly number[]
  readonly outputBytes: readonly number[]
  /** Memory of its own; none where its value is that of a variable, or of its input under another shape. */
  readonly heldBytes: number
}

const secondsPerNode = 5e-6

/** The work of a node. @throws ShapeError for a named size that is not in `sizes`. */
export function nodeWork(
  node: Node,
  devices: readonly DeviceModel[],
  {
    sizes,
    measured,
  }: { readonly sizes?: Readonly<Record<string, number>>; readonly measured?: MeasuredTimes },
): NodeWork {
  const { flops, bytes, outputBytes } = nodeCost(node, sizes)
  const idle = flops === 0 && bytes === 0
  const modelled = devices.map((device) =>
    idle
      ? 0
      : (device.secondsPerNode ?? secondsPerNode) +
        Math.max(flops / device.flopsPerSecond, bytes / device.bytesPerSecond),
  )
  const times = devices.map(({ name }) => measured?.get(name)?.get(node.name))
  const known = times.findIndex((time) => time !== undefined)
  // Elsewhere it takes as much longer or shorter as the model says.
  const scale = known >= 0 && modelled[known]! > 0 ? times[known]! / modelled[known]! : 1
  return {
    seconds: modelled.map((seconds, i) => times[i] ?? seconds * scale),
    outputBytes,
    heldBytes: idle || isVariableAccess(node) ? 0 : outputBytes.reduce((a, b) => a + b, 0),
  }
}

/** What an assignment answers is the memory of the variable. */
const isVariableAccess = ({ op: { body } }: Node): boolean =>
  body.kind === 'runtime' && ['readVariable', 'assign', 'scatter'].includes(body.role)
