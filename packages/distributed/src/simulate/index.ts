// The simulation: a clock, a network and nodes that exist as numbers only, for programs that do not notice.
export { type KernelWork, SimulatedDevice, type SimulatedDeviceOptions } from './device.ts'
export { type NetworkOptions, SimulatedNetwork } from './network.ts'
export type { NodeSpec, SimulatedNode } from './node.ts'
export type { SimulatedProcess } from './process.ts'
export { Scenario, type ScenarioOptions, uniformNodes } from './scenario.ts'
export { type SettleOptions, SimulatedClock } from './simulatedClock.ts'
export type { ComputeEvent, FaultEvent, MessageEvent, TraceEvent } from './trace.ts'
