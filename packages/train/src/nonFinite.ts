// Where a NaN comes from: all values of a graph, looked through in the order in which they are computed.
import type { Feeds, NDArray, Session } from '@shoal/core'
import { floats, getElement, label, Node, Tensor, toposort, ValueError, Variable } from '@shoal/core'

/** The first value that is not finite. */
export interface NonFinite {
  /** Whose value it is. */
  readonly tensor: Tensor
  /** NaN, Infinity or -Infinity. */
  readonly value: number
  /** Where in the tensor, in row-major order. */
  readonly element: number
  /** One line for people: the node, the element, and the inputs, which are all finite. */
  readonly message: string
}

/**
 * Runs fetches with every float tensor on the way to them, and names the first node, in the order of computation, whose value has a NaN or
 * an infinity; undefined when there is none. Constants are passed over: infinities in them are meant. What happens within branches and loops
 * shows in their results only. Effects of the graph happen as in any run.
 * @throws ValueError for fetches that are no list of tensors, variables and nodes; what a run throws.
 */
export async function findNonFinite(
  session: Session,
  fetches: readonly (Tensor | Variable | Node)[],
  feeds: Feeds = [],
): Promise<NonFinite | undefined> {
  if (!isFetchList(fetches))
    throw new ValueError(
      'fetches are a list of tensors, variables and nodes: findNonFinite(session, [loss, step], feeds)',
    )
  const roots = fetches.map((fetch) => (fetch instanceof Variable ? fetch.read() : fetch))
  const graph = {
    fetches: roots.filter((root) => root instanceof Tensor),
    targets: roots.filter((root) => root instanceof Node),
  }
  const isFed = fedBy(feeds)
  const fed = toposort(graph).flatMap((node) => node.outputs.filter(isFed))
  // What was fed is not computed, nor is what only it needs.
  const computed = toposort(graph, (node) => !(node.outputs.length > 0 && node.outputs.every(isFed))).filter(
    ({ op }) => !(op.body.kind === 'runtime' && op.body.role === 'constant'),
  )
  const tensors = [...fed, ...computed.flatMap((node) => node.outputs.filter((t) => !isFed(t)))].filter((t) =>
    floats.includes(t.dtype),
  )
  const { values } = await session.run({ values: tensors, targets: graph.targets }, feeds)
  for (const [i, tensor] of tensors.entries()) {
    const found = firstNonFinite(values[i]!)
    if (found) return { tensor, ...found, message: describe(tensor, found, isFed(tensor)) }
  }
  return undefined
}

/** Whether it is a list of what `findNonFinite` can run. */
export const isFetchList = (fetches: unknown): fetches is readonly (Tensor | Variable | Node)[] =>
  Array.isArray(fetches) &&
  fetches.every((one) => one instanceof Tensor || one instanceof Variable || one instanceof Node)

/** The first element that is NaN or infinite. */
export function firstNonFinite(
  array: NDArray,
): { readonly value: number; readonly element: number } | undefined {
  if (!floats.includes(array.dtype)) return undefined
  for (let element = 0; element < array.size; element++) {
    const value = getElement(array.dtype, array.data, element) as number
    if (!Number.isFinite(value)) return { value, element }
  }
  return undefined
}

function fedBy(feeds: Feeds): (tensor: Tensor) => boolean {
  if (Symbol.iterator in feeds) {
    const tensors = new Set([...(feeds as Iterable<readonly [Tensor, unknown]>)].map(([tensor]) => tensor))
    return (tensor) => tensors.has(tensor)
  }
  return (tensor) =>
    Object.hasOwn(feeds, tensor.name) || (tensor.index === 0 && Object.hasOwn(feeds, `${tensor.name}:0`))
}

function describe(
  { node, index }: Tensor,
  { value, element }: { value: number; element: number },
  fed: boolean,
): string {
  const output = node.outputs.length > 1 ? ` of output ${index}` : ''
  const inputs = node.inputs.map((t) => `'${t.name}'`).join(', ')
  const origin = fed
    ? 'it was fed so'
    : node.inputs.length > 0
      ? `its inputs (${inputs}) are finite`
      : 'it has no inputs'
  return `${label(node)} has ${value} as element ${element}${output}; ${origin}`
}
