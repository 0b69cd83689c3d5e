// A loop over the rows of sequences, with a state that every step hands to the next.
import { ShapeError } from '../../errors.ts'
import type { Tensor } from '../../graph/graph.ts'
import type { AnyOp, GradContext } from '../../op.ts'
import { attr, defineOp, makeNode } from '../../op.ts'
import type { Dim, TensorType } from '../../shape.ts'
import { mergeDim } from '../../shape.ts'
import { gradients } from '../../autodiff/gradients.ts'
import { zerosLike } from '../array/fill.ts'
import type { TensorLike } from '../constant.ts'
import { toTensor } from '../constant.ts'
import { identity } from '../graph/identity.ts'
import { add } from '../math/add.ts'
import { carried, demandNoString } from './carried.ts'
import { atIndices, demandDifferentiable, floatIndices } from './differentiable.ts'
import { close, instantiate, trace } from './subgraph.ts'

const attrs = {
  body: attr.graph('(state…, rows…, captured…) → (state…, results…)'),
  carries: attr.int('how many inputs are the state'),
  sequences: attr.int('how many inputs after them are sequences'),
  length: attr.int('the number of steps, where there is no sequence to tell it', undefined),
  reverse: attr.bool('go from the last row to the first; results stand at the row that made them', false),
}

const scanOp = defineOp({
  name: 'Scan',
  doc: 'Runs a body for every row of sequences. Outputs: the final state, the results stacked, and the state before every step.',
  inputs: ['...xs'],
  attrs,
  outputs: 'list',
  infer: (inputs, { body, carries, sequences, length }) => {
    const state = inputs.slice(0, carries)
    const made = body.fetches.map((t) => t.type)
    inputs.slice(carries, carries + sequences).forEach((t, i) => demandNoString(t, `sequence ${i}`))
    made.slice(carries).forEach((t, i) => demandNoString(t, `result ${i} of a step`))
    const steps = stepCount(inputs.slice(carries, carries + sequences), length)
    const final = state.map((t, i) => carried(t, made[i]!, i))
    const rows = (t: TensorType): TensorType => ({ dtype: t.dtype, shape: [steps, ...t.shape] })
    return [...final, ...made.slice(carries).map(rows), ...final.map(rows)]
  },
  subgraphs: (inputs, { carries, sequences }) => ({
    body: [
      inputs.map((t, i) =>
        i >= carries && i < carries + sequences ? { dtype: t.dtype, shape: t.shape.slice(1) } : t,
      ),
    ],
  }),
  grad: (context: GradContext<readonly ['...xs'], typeof attrs>) => scanGradient(context),
  body: { kind: 'runtime', role: 'scan' },
})
/** The definition behind `scan`. */
export const scanDef: AnyOp = { def: scanOp.def }

function stepCount(sequences: readonly TensorType[], length: number | undefined): Dim {
  const sizes = sequences.map((t) => {
    if (t.shape.length === 0) throw new ShapeError('a sequence needs a leading axis to run over')
    return t.shape[0]!
  })
  if (sizes.length === 0 && length === undefined) throw new ShapeError('without sequences, state the length')
  return sizes.reduce<Dim>((a, b) => mergeDim(a, b, 'sequences differ in length'), sizes[0] ?? length!)
}

/** One step of a scan: state and rows in, the next state and this step's results out. */
export type ScanBody = (
  state: Tensor[],
  rows: Tensor[],
) => readonly [state: readonly TensorLike[], results: readonly TensorLike[]]

/**
 * Runs `body` for every row along axis 0 of `sequences`, handing a state from step to step. Differentiable.
 * @param options.reverse from the last row to the first; results keep the place of their row.
 * @param options.length the number of steps, where there is no sequence.
 * @returns the final state, and the results of all steps stacked along a new axis 0.
 */
export function scan(
  body: ScanBody,
  state: readonly TensorLike[],
  sequences: readonly TensorLike[],
  options: { readonly reverse?: boolean; readonly length?: number; readonly name?: string } = {},
): { state: Tensor[]; results: Tensor[] } {
  const { outputs, results } = scanNode(body, state, sequences, options)
  return {
    state: outputs.slice(0, state.length),
    results: outputs.slice(state.length, state.length + results),
  }
}

function scanNode(
  body: ScanBody,
  state: readonly TensorLike[],
  sequences: readonly TensorLike[],
  options: { readonly reverse?: boolean; readonly length?: number; readonly name?: string },
): { outputs: readonly Tensor[]; results: number } {
  const start = state.map((value) => toTensor(value))
  const xs = sequences.map((value) => toTensor(value))
  const rowTypes = xs.map((t) => ({ dtype: t.dtype, shape: t.shape.slice(1) }))
  let results = 0
  const traced = trace([...start.map((t) => t.type), ...rowTypes], (...params) => {
    const [next, made] = body(params.slice(0, start.length), params.slice(start.length))
    if (next.length !== start.length)
      throw new ShapeError(`the body answers ${next.length} states, it was given ${start.length}`)
    results = made.length
    return [...next, ...made]
  })
  const { bodies, capture } = close(traced)
  const { name, ...given } = options
  const node = makeNode(
    scanOp.def,
    [...start, ...xs, ...capture()],
    { body: bodies[0], carries: start.length, sequences: xs.length, ...given },
    name,
  )
  return { outputs: node.outputs, results }
}

/** The scan run backwards: the state before every step was kept, and each step is computed again and differentiated. */
function scanGradient({
  inputs,
  outputs,
  dys,
  attrs,
  node,
}: GradContext<readonly ['...xs'], ScanAttrs>): (Tensor | null)[] {
  const { body, carries, sequences, reverse, length } = attrs
  demandDifferentiable(body, node)
  const start = inputs.slice(0, carries)
  const xs = inputs.slice(carries, carries + sequences)
  const captured = inputs.slice(carries + sequences)
  const results = body.fetches.length - carries
  const states = floatIndices(start)
  const floatRows = floatIndices(xs)
  const floatCaptured = floatIndices(captured)
  const given = Array.from({ length: results }, (_, r) => r).filter((r) => dys[carries + r])
  const kept = states.filter((i) => dys[carries + results + i])
  const history = outputs.slice(carries + results)
  const { outputs: back } = scanNode(
    (state, rows) => {
      const [dState, dCaptured] = [state.slice(0, states.length), state.slice(states.length)]
      const before = rows.slice(0, carries)
      const row = rows.slice(carries, carries + sequences)
      const dResults = rows.slice(carries + sequences, carries + sequences + given.length)
      const dHistory = rows.slice(carries + sequences + given.length)
      const outside = captured.map((t) => identity(t))
      const made = instantiate(body, [...before, ...row, ...outside])
      const tops = [...states.map((i) => made[i]!), ...given.map((r) => made[carries + r]!)]
      const sources = [
        ...states.map((i) => before[i]!),
        ...floatRows.map((i) => row[i]!),
        ...floatCaptured.map((i) => outside[i]!),
      ]
      const found = gradients(tops, sources, { seeds: [...dState, ...dResults] })
      const dBefore = states.map((i, s) =>
        kept.includes(i) ? add(found[s]!, dHistory[kept.indexOf(i)]!) : found[s]!,
      )
      const dRows = found.slice(states.length, states.length + floatRows.length)
      const sums = dCaptured.map((sum, c) => add(sum, found[states.length + floatRows.length + c]!))
      return [[...dBefore, ...sums], dRows]
    },
    [
      ...states.map((i) => dys[i] ?? zerosLike(outputs[i]!)),
      ...floatCaptured.map((i) => zerosLike(captured[i]!)),
    ],
    [
      ...history,
      ...xs,
      ...given.map((r) => dys[carries + r]!),
      ...kept.map((i) => dys[carries + results + i]!),
    ],
    { reverse: !reverse, ...(length === undefined ? {} : { length }) },
  )
  return [
    ...atIndices(start, states, back),
    ...atIndices(xs, floatRows, back.slice(states.length + floatCaptured.length)),
    ...atIndices(captured, floatCaptured, back.slice(states.length)),
  ]
}
type ScanAttrs = typeof attrs
