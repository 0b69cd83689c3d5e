// A loop that goes on while a condition holds.
import { DTypeError, ShapeError } from '../../errors.ts'
import type { Tensor } from '../../graph/graph.ts'
import type { AnyOp, GradContext } from '../../op.ts'
import { attr, defineOp, makeNode } from '../../op.ts'
import { formatType, unknown } from '../../shape.ts'
import { gradients } from '../../autodiff/gradients.ts'
import { zerosLike } from '../array/fill.ts'
import type { TensorLike } from '../constant.ts'
import { toTensor } from '../constant.ts'
import { iota } from '../array/iota.ts'
import { identity } from '../graph/identity.ts'
import { add } from '../math/add.ts'
import { less } from '../math/less.ts'
import { select } from '../math/select.ts'
import { carried } from './carried.ts'
import { atIndices, demandDifferentiable, floatIndices } from './differentiable.ts'
import { scan } from './scan.ts'
import { close, instantiate, trace } from './subgraph.ts'

const attrs = {
  cond: attr.graph('(state…, captured…) → bool scalar'),
  body: attr.graph('(state…, captured…) → (state…)'),
  carries: attr.int('how many inputs are the state'),
  maxIterations: attr.int('stop after so many iterations whatever the condition says', undefined),
}

const whileOp = defineOp({
  name: 'While',
  doc: 'Repeats a body while a condition holds. Outputs: the final state, the number of iterations, and the state before every iteration.',
  inputs: ['...xs'],
  attrs,
  outputs: 'list',
  infer: (inputs, { cond, body, carries, maxIterations }) => {
    const test = cond.fetches[0]!.type
    if (test.dtype !== 'bool' || test.shape.length > 0)
      throw new DTypeError(`the condition must be a bool scalar, it is ${formatType(test)}`)
    const state = inputs.slice(0, carries).map((t, i) => carried(t, body.fetches[i]!.type, i))
    const rows = maxIterations ?? unknown
    return [
      ...state,
      { dtype: 'int32', shape: [] },
      ...state.map((t) => ({ dtype: t.dtype, shape: [rows, ...t.shape] })),
    ]
  },
  subgraphs: (inputs) => ({ cond: [inputs], body: [inputs] }),
  grad: (context: GradContext<readonly ['...xs'], typeof attrs>): (Tensor | null)[] => whileGradient(context),
  body: { kind: 'runtime', role: 'while' },
})
/** The definition behind `whileLoop`. */
export const whileDef: AnyOp = { def: whileOp.def }

/**
 * Repeats `body` while `condition` holds, and answers the final state. Every state keeps its dtype and shape. Differentiable.
 * @param options.maxIterations a bound, whatever the condition says; with it, gradients need not leave the device.
 */
export function whileLoop(
  condition: (...state: Tensor[]) => TensorLike,
  body: (...state: Tensor[]) => readonly TensorLike[],
  state: readonly TensorLike[],
  options: { readonly maxIterations?: number; readonly name?: string } = {},
): Tensor[] {
  const start = state.map((value) => toTensor(value))
  const types = start.map((t) => t.type)
  const test = trace(types, (...params) => [condition(...params)])
  const step = trace(types, (...params) => {
    const next = body(...params)
    if (next.length !== start.length)
      throw new ShapeError(`the body answers ${next.length} states, it was given ${start.length}`)
    return next
  })
  const {
    bodies: [testBody, stepBody],
    capture,
  } = close(test, step)
  const { name, ...given } = options
  const node = makeNode(
    whileOp.def,
    [...start, ...capture()],
    { cond: testBody, body: stepBody, carries: start.length, ...given },
    name,
  )
  return node.outputs.slice(0, start.length)
}

/** Runs backwards over the states that were kept; rows past the last iteration of a bounded loop hand everything on unchanged. */
function whileGradient({
  inputs,
  outputs,
  dys,
  attrs: { body, carries, maxIterations },
  node,
}: GradContext<readonly ['...xs'], typeof attrs>): (Tensor | null)[] {
  demandDifferentiable(body, node)
  const start = inputs.slice(0, carries)
  const captured = inputs.slice(carries)
  const states = floatIndices(start)
  const sources = floatIndices(captured)
  const count = outputs[carries]!
  const history = outputs.slice(carries + 1)
  const kept = states.filter((i) => dys[carries + 1 + i])
  const ran =
    maxIterations === undefined ? [] : [less(iota({ shape: [maxIterations], dtype: 'int32' }), count)]
  const { state } = scan(
    (flowing, rows) => {
      const [dState, dCaptured] = [flowing.slice(0, states.length), flowing.slice(states.length)]
      const before = rows.slice(0, carries)
      const dHistory = rows.slice(carries, carries + kept.length)
      const mask = rows[carries + kept.length]
      const outside = captured.map((t) => identity(t))
      const made = instantiate(body, [...before, ...outside])
      const found = gradients(
        states.map((i) => made[i]!),
        [...states.map((i) => before[i]!), ...sources.map((i) => outside[i]!)],
        { seeds: dState },
      )
      const dBefore = states.map((i, s) =>
        kept.includes(i) ? add(found[s]!, dHistory[kept.indexOf(i)]!) : found[s]!,
      )
      const next = [...dBefore, ...dCaptured.map((sum, c) => add(sum, found[states.length + c]!))]
      return [mask ? next.map((value, i) => select(mask, value, flowing[i]!)) : next, []]
    },
    [...states.map((i) => dys[i] ?? zerosLike(outputs[i]!)), ...sources.map((i) => zerosLike(captured[i]!))],
    [...history, ...kept.map((i) => dys[carries + 1 + i]!), ...ran],
    { reverse: true },
  )
  return [...atIndices(start, states, state), ...atIndices(captured, sources, state.slice(states.length))]
}
