// A graph with feeds as bytes of JSON: it fetches its feeds after what it fetches, so that its reader knows them.
import type { AnyResource, BoundGraph, NDArray } from '@shoal/core'
import { fromGraphDef, ndarray, toGraphDef } from '@shoal/core'
import { ProtocolError } from '../errors.ts'

/** Writes a graph. Initial values of variables are left out: whoever runs it does not start them. */
export function graphToBytes({ graph, feeds }: BoundGraph): NDArray {
  const whole = { fetches: [...graph.fetches, ...feeds], targets: graph.targets }
  const def = toGraphDef(whole, { initialValues: false })
  return ndarray(new TextEncoder().encode(JSON.stringify(def)))
}

/** Reads a graph that has so many feeds. @throws GraphDefError, ProtocolError. */
export function graphFromBytes(
  bytes: NDArray | undefined,
  feedCount: number,
): BoundGraph & { readonly resources: readonly AnyResource[] } {
  if (bytes?.dtype !== 'uint8')
    throw new ProtocolError(`a graph comes as bytes of JSON, not as ${bytes?.dtype ?? 'nothing'}`)
  const { graph, resources } = fromGraphDef(new TextDecoder().decode(bytes.bytes))
  const count = graph.fetches.length - feedCount
  if (count < 0) throw new ProtocolError(`a graph of ${feedCount} feeds fetches less than these`)
  return {
    graph: { fetches: graph.fetches.slice(0, count), targets: graph.targets },
    feeds: graph.fetches.slice(count),
    resources: [...resources.values()],
  }
}
