// Branches: one of several bodies runs, chosen by an index.
import { DTypeError, ShapeError, ValueError } from '../../errors.ts'
import { Tensor } from '../../graph/graph.ts'
import type { AnyOp, GradContext } from '../../op.ts'
import { attr, defineOp, makeNode } from '../../op.ts'
import type { TensorType } from '../../shape.ts'
import { formatType, mergeDim, unknown } from '../../shape.ts'
import { gradients } from '../../autodiff/gradients.ts'
import type { TensorLike } from '../constant.ts'
import { toTensor } from '../constant.ts'
import { identity } from '../graph/identity.ts'
import { cast } from '../math/cast.ts'
import { atIndices, demandDifferentiable, floatIndices } from './differentiable.ts'
import type { Trace } from './subgraph.ts'
import { close, instantiate, trace } from './subgraph.ts'

const attrs = { branches: attr.graphs('the bodies; every one takes all that any of them captures') }

const caseOp = defineOp({
  name: 'Case',
  doc: 'Runs the branch that an index chooses; an index out of range chooses the last.',
  inputs: ['index', '...captured'],
  attrs,
  outputs: 'list',
  infer: ([index], { branches }) => {
    if (index.dtype !== 'int32' || index.shape.length !== 0)
      throw new DTypeError(`the index must be an int32 scalar, it is ${formatType(index)}`)
    const [first, ...rest] = branches.map((b) => b.fetches.map((t) => t.type))
    return rest.reduce((a, b) => mergeBranches(a, b), first!)
  },
  subgraphs: ([, ...captured], { branches }) => ({ branches: branches.map(() => captured) }),
  grad: (context) =>
    caseGradient(context as unknown as GradContext<readonly string[], typeof attrs>) as never,
  body: { kind: 'runtime', role: 'case' },
})
/** The definition behind `cond` and `caseOf`. */
export const caseDef: AnyOp = { def: caseOp.def }

/** Branches agree in dtypes and ranks; a size in which they differ is only known when one has run. */
function mergeBranches(a: readonly TensorType[], b: readonly TensorType[]): TensorType[] {
  if (a.length !== b.length)
    throw new ShapeError(`one branch answers ${a.length} tensors, another ${b.length}`)
  return a.map((x, i) => {
    const y = b[i]!
    if (x.dtype !== y.dtype)
      throw new DTypeError(`result ${i} is ${x.dtype} in one branch, ${y.dtype} in another: cast one`)
    if (
      x.shape.length !== y.shape.length ||
      x.shape.some(
        (d, axis) => typeof d === 'number' && typeof y.shape[axis] === 'number' && d !== y.shape[axis],
      )
    )
      throw new ShapeError(`result ${i} is ${formatType(x)} in one branch, ${formatType(y)} in another`)
    return {
      dtype: x.dtype,
      shape: x.shape.map((d, axis) =>
        d === unknown || y.shape[axis] === unknown ? unknown : mergeDim(d, y.shape[axis]!),
      ),
    }
  })
}

function build(index: Tensor, traces: readonly Trace[]): readonly Tensor[] {
  const { bodies, capture } = close(...traces)
  return makeNode(caseDef.def, [index, ...capture()], { branches: bodies }).outputs
}

function caseGradient({
  inputs,
  dys,
  attrs: { branches },
  node,
}: GradContext<readonly string[], typeof attrs>): (Tensor | null)[] {
  const [index, ...captured] = inputs as unknown as [Tensor, ...Tensor[]]
  branches.forEach((branch) => demandDifferentiable(branch, node))
  const wanted = floatIndices(captured)
  const given = dys.flatMap((dy, i) => (dy ? [{ dy, i }] : []))
  const traces = branches.map((branch) =>
    trace([], () => {
      // Nodes of the body's own stand for what is captured, so that the gradients are taken inside the body.
      const inner = captured.map((t) => identity(t))
      const results = instantiate(branch, inner)
      return gradients(
        given.map(({ i }) => results[i]!),
        wanted.map((i) => inner[i]!),
        { seeds: given.map(({ dy }) => dy) },
      )
    }),
  )
  const back = build(index, traces)
  return [null, ...atIndices(captured, wanted, back)]
}

/** What a branch answers: a tensor, or a list of them. */
export type BranchResult = TensorLike | readonly Tensor[]
type Answer<R> = R extends readonly Tensor[] ? { -readonly [K in keyof R]: Tensor } : Tensor

/**
 * Runs one of several branches: branch `index`, or the last when `index` is out of range. Only that branch runs.
 * All answer the same dtypes and shapes. What they use from outside is computed before, what they make themselves only when they run.
 * @param index int32 scalar
 */
export function caseOf<R extends Tensor | readonly Tensor[]>(
  index: TensorLike,
  branches: readonly (() => R)[],
): Answer<R> {
  if (branches.length === 0) throw new ShapeError('caseOf needs at least one branch')
  const single = new Set<boolean>()
  const traces = branches.map((branch) =>
    trace([], () => {
      const result = branch()
      single.add(result instanceof Tensor)
      return result instanceof Tensor ? [result] : result
    }),
  )
  if (single.size > 1)
    throw new ValueError('one branch answers a tensor, another a list of them: let all answer the same')
  const outputs = build(toTensor(index, 'int32'), traces)
  return (single.has(true) ? outputs[0] : outputs) as Answer<R>
}

/**
 * Runs `then` if the predicate holds, otherwise `otherwise`; only that one runs.
 * @param predicate bool scalar
 */
export function cond<R extends Tensor | readonly Tensor[]>(
  predicate: TensorLike,
  then: () => R,
  otherwise: () => R,
): Answer<R> {
  return caseOf(cast(toTensor(predicate), { to: 'int32' }), [otherwise, then])
}
