// A model is tensors in any structure of lists and records; what becomes of it has the same structure.
import { ValueError } from '../errors.ts'
import type { Graph } from './graph.ts'
import { Tensor } from './graph.ts'

/** Tensors that are asked for together: one, or lists and records of them. */
export type Model = Tensor | readonly Model[] | { readonly [name: string]: Model }

/** A model with other tensors in the same places. */
export type Rewritten<M> = M extends Tensor ? Tensor : { -readonly [K in keyof M]: Rewritten<M[K]> }

/** The tensors of a model, in order. @throws ValueError for anything else in it. */
export function tensorsOf(model: Model): Tensor[] {
  if (model instanceof Tensor) return [model]
  if (typeof model !== 'object' || model === null)
    throw new ValueError(`a model is made of tensors, lists and records of them; got ${String(model)}`)
  return Object.values(model as Readonly<Record<string, Model>>).flatMap(tensorsOf)
}

/** Puts the fetches of another graph into the places of a model's tensors: `change` answers as many as it is given, in their order. */
export function rewriteModel<const M extends Model>(
  model: M,
  change: (graph: Graph) => Promise<Graph>,
): Promise<Rewritten<M>> {
  const replaced = async (): Promise<unknown> => {
    const graph = await change({ fetches: tensorsOf(model), targets: [] })
    const fetches = graph.fetches[Symbol.iterator]()
    const visit = (part: Model): unknown => {
      if (part instanceof Tensor) return fetches.next().value
      if (Array.isArray(part)) return (part as readonly Model[]).map(visit)
      return Object.fromEntries(Object.entries(part).map(([name, inner]) => [name, visit(inner)]))
    }
    return visit(model)
  }
  return replaced() as Promise<Rewritten<M>>
}
