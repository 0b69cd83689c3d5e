// The public names of @shoal/core.

// Values and types
export * from './dtype.ts'
export * from './errors.ts'
export * from './half.ts'
export * from './ndarray.ts'
export * from './shape.ts'

// Building graphs
export * from './attr.ts'
export * from './op.ts'
export * from './resource.ts'
export * from './graph/effects.ts'
export * from './graph/graph.ts'
export { colocateWith, controlDependencies, device, scope } from './graph/scope.ts'
export * from './graph/substitute.ts'
export * from './ops/index.ts'
export * from './autodiff/gradients.ts'
export * from './autodiff/accumulate.ts'
export * from './autodiff/customGradient.ts'
export * from './autodiff/indexedSlices.ts'

// Optimising, placing and compiling them
export * from './passes/index.ts'
export * from './passes/pass.ts'
export * from './ir/affine.ts'
export * from './ir/collapse.ts'
export * from './ir/expr.ts'
export * from './ir/interpret.ts'
export * from './ir/kernel.ts'
export * from './ir/scalarFunctions.ts'
export * from './ir/simplify.ts'
export { special } from './ir/special.ts'
export * from './ir/view.ts'

// Running them
export * from './run/context.ts'
export * from './run/device.ts'
export type { Feeds, FeedValue } from './run/feeds.ts'
export type { Fetch, Fetched, Fetches } from './run/fetches.ts'
export { variablesOf } from './run/initialize.ts'
export * from './run/rendezvous.ts'
export * from './run/session.ts'
export { toChromeTrace } from './run/trace.ts'
export type { ChromeTrace, TraceEvent } from './run/trace.ts'
export * from './reference/device.ts'
export * from './reference/kernel.ts'
export * from './reference/kernels/index.ts'
