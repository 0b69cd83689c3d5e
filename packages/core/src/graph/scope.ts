// What surrounds the ops being built: a name prefix, a wanted device and control inputs, for as long as a callback runs.
import { mergeDeviceNames } from './deviceName.ts'
import type { Node } from './graph.ts'

interface Surroundings {
  readonly prefix: string
  readonly device: string
  readonly control: readonly Node[]
  /** Stands for the traced body that is being built, or for the graph outside of all bodies. */
  readonly body: object
}

let current: Surroundings = { prefix: '', device: '', control: [], body: {} }

function within<T>(change: Partial<Surroundings>, build: () => T): T {
  const outer = current
  current = { ...outer, ...change }
  try {
    return build()
  } finally {
    current = outer
  }
}

/** What new nodes inherit. */
export const surroundings = (): Surroundings => current

/** Prefixes the names of all nodes that `build` makes: `scope('dense', () => matmul(x, w))` makes `dense/matmul`. */
export const scope = <T>(name: string, build: () => T): T =>
  within({ prefix: `${current.prefix}${name}/` }, build)

/**
 * Asks for a device for all nodes that `build` makes. What a partial name leaves open comes from the surrounding scope, then from the placer:
 * `'cpu'`, `'webgpu:1'`, `'/job:ps/task:0'`, `'/job:worker/task:0/device:cpu:0'`.
 */
export const device = <T>(name: string, build: () => T): T =>
  within({ device: mergeDeviceNames(current.device, name) }, build)

/** All nodes that `build` makes run after `nodes`, in every run that needs them. */
export const controlDependencies = <T>(
  nodes: readonly (Node | { readonly node: Node })[],
  build: () => T,
): T => within({ control: [...current.control, ...nodes.map((n) => ('node' in n ? n.node : n))] }, build)

/** New nodes take the place of `node`: they are named under it and inherit its device and what it waits for. */
export const inPlaceOf = <T>(node: Node, build: () => T): T =>
  within({ prefix: `${node.name}/`, device: node.device, control: node.control }, build)

/** Nothing of the surroundings reaches what `build` makes: the body of a branch or loop stands on its own. */
export const detached = <T>(build: () => T): T =>
  within({ prefix: '', device: '', control: [], body: {} }, build)

/** As `detached`, but new nodes are named under `node` and want its device. */
export const detachedAs = <T>(node: Node, build: () => T): T =>
  within({ prefix: `${node.name}/`, device: node.device, control: [], body: {} }, build)

/** Replaces the name prefix instead of extending it. */
export const named = <T>(prefix: string, build: () => T): T => within({ prefix }, build)

/** Asks for the device of another node or variable for all nodes that `build` makes. */
export const colocateWith = <T>(other: { readonly node: Node } | Node, build: () => T): T =>
  within({ device: 'node' in other ? other.node.device : other.device }, build)
