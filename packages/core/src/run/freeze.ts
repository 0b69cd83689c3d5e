// A trained model as a graph of its own: what it knows stands in it as constants.
import { effectsOf } from '../graph/effects.ts'
import type { Node } from '../graph/graph.ts'
import { rewrite, toposort } from '../graph/graph.ts'
import type { Model, Rewritten } from '../graph/model.ts'
import { rewriteModel } from '../graph/model.ts'
import { makeNode } from '../op.ts'
import { constant } from '../ops/constant.ts'
import { Variable } from '../ops/state/variable.ts'
import type { Pass } from '../passes/pass.ts'
import { runDeep } from '../passes/pass.ts'
import type { AnyResource } from '../resource.ts'
import { variablesOf } from './initialize.ts'
import type { Session } from './session.ts'

/**
 * The model with its variables, those of bodies of branches and loops too, as constants of their present values. It takes the same feeds. Passes
 * compute in advance what depends on nothing else, kernels lay out weights for themselves once, and other sessions need no variables to run it.
 * What the model itself assigns stays a variable.
 * @throws UninitializedError when a variable has no value yet.
 */
export function freeze<const M extends Model>(
  model: M,
  { session }: { readonly session: Session },
): Promise<Rewritten<M>> {
  return rewriteModel(model, async (graph) => {
    const assigned = new Set(toposort(graph).flatMap((node) => [...effectsOf(node).writes]))
    const read = variablesOf(graph).filter((resource) => !assigned.has(resource))
    const found = await session.run(read.map((resource) => new Variable(resource)))
    const values = new Map<AnyResource, (typeof found)[number]>(read.map((r, i) => [r, found[i]!]))
    const valueOf = ({ op, attrs }: Node) =>
      op.body.kind === 'runtime' && op.body.role === 'readVariable'
        ? values.get(attrs['resource'] as AnyResource)
        : undefined
    const frozen: Pass = {
      name: 'freeze',
      run: (body) =>
        rewrite(body, (node) => {
          const value = valueOf(node)
          const { name, control, device } = node
          return value && makeNode(constant.def, [], { value }).with({ name, control, device })
        }),
    }
    return runDeep(frozen, graph)
  })
}
