// What surrounds the ops being built: a name prefix, a wanted device and control inputs, for as long as a callback runs.
import type { VariableResource } from '../resource.ts'
import { mergeDeviceNames } from './deviceName.ts'
import type { Node } from './graph.ts'

/** A node that is being made: all of it but its device. */
export type NewNode = Omit<Node, 'device'>
/** A variable that is being declared: all of it but its initial value, whose device becomes its own. */
export type NewVariable = Omit<VariableResource, 'initial'>

/**
 * Chooses a device for each node that is made and for each variable that is declared: a variable lives where this puts it, whatever its nodes
 * are told. Answers a device name, whole, in part or '' to leave it open.
 * @param what a node has an `op`, a variable a `kind`.
 * @param asked what inner scopes ask for, '' for nothing; their parts win over those of the answer.
 */
export type DeviceFunction = (what: NewNode | NewVariable, asked: string) => string

interface Surroundings {
  readonly prefix: string
  readonly device: string | DeviceFunction
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
 * `'cpu'`, `'webgpu:1'`, `'/job:ps/task:0'`, `'/job:worker/task:0/device:cpu:0'`. A function is asked for each node and variable; the bodies of
 * branches and loops are not seen by it, as they run where their node runs.
 * @throws ValueError for what is no device name, said or answered.
 */
export const device = <T>(choice: string | DeviceFunction, build: () => T): T =>
  within({ device: mergeChoices(current.device, choice) }, build)

function mergeChoices(
  outer: string | DeviceFunction,
  inner: string | DeviceFunction,
): string | DeviceFunction {
  if (typeof outer === 'string' && typeof inner === 'string') return mergeDeviceNames(outer, inner)
  return (what, asked) => answered(outer, what, answered(inner, what, asked))
}

const answered = (choice: string | DeviceFunction, what: NewNode | NewVariable, asked: string): string =>
  mergeDeviceNames(typeof choice === 'string' ? choice : choice(what, asked), asked)

/** The device that the surroundings ask for, for a node or variable that is being made. */
export const wantedDevice = (what: NewNode | NewVariable): string =>
  typeof current.device === 'string' ? current.device : current.device(what, '')

/** Asks for a device in the place of all that the surroundings ask for. */
export const onDevice = <T>(name: string, build: () => T): T => within({ device: name }, build)

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

/** Builds where a tensor was asked to be made; where nobody asked for that, as anywhere. */
export const beside = <T>({ node }: { readonly node: Node }, build: () => T): T =>
  node.device === '' ? build() : onDevice(node.device, build)

/** Asks for the device of another node or variable for all nodes that `build` makes. */
export const colocateWith = <T>(other: { readonly node: Node } | Node, build: () => T): T =>
  onDevice('node' in other ? other.node.device : other.device, build)
