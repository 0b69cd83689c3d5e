// Random graphs as training makes them: fed values, variables that are read and written in many orders, bodies, gradients, an optimizer's step.
import type { Tensor, Variable } from '@shoal/core'
import {
  add,
  div,
  equal,
  greater,
  less,
  logicalAnd,
  max,
  mul,
  NDArray,
  placeholder,
  sizeOf,
  sqrt,
  square,
  sub,
  sum,
  variable,
} from '@shoal/core'
import type { Random } from '../random.ts'
import { computingSteps } from './computingSteps.ts'
import type { Sources } from './growth.ts'
import { Growth } from './growth.ts'
import { slopes, statefulSteps } from './statefulSteps.ts'

/** A graph, what it is fed, and what it changes. */
export interface RandomGraph {
  readonly feeds: readonly Tensor[]
  readonly variables: readonly Variable[]
  readonly fetches: readonly Tensor[]
}

/** A graph drawn from the stream; of float32, with masks and counts of int32. */
export function randomGraph(stream: Random): RandomGraph {
  const shapes = randomShapes(stream)
  const [matrix] = shapes as [readonly number[]]
  const drawn = Array.from({ length: stream.integer(1, 3) }, () => stream.pick(shapes))
  const values = [matrix, ...drawn].map((shape, i) => placeholder({ shape, name: `x${i}` }))
  const counts = placeholder({ shape: matrix, dtype: 'int32', name: 'counts' })
  const variables = [matrix, stream.pick(shapes), stream.pick(shapes)].map((shape, i) =>
    variable(uniform(stream, shape), { name: `v${i}` }),
  )
  const read = variables.map((v) => v.read())
  const sources = sourcesOf(variables, counts)
  const growth = new Growth(stream, sources, [...values, ...read], [...computingSteps, ...statefulSteps])
  growth.grow(stream.integer(10, 35))
  const last = growth.pool.at(-1)!
  const some = [...growth.pool.filter(() => growth.chance(0.3)), ...growth.writes]
  const step = growth.chance(0.5) ? updates(growth) : []
  return { feeds: [...values, counts], variables, fetches: [...new Set([...some, last, ...step])] }
}

/** Numbers between −1/2 and 1/2. */
export const uniform = (stream: Random, shape: readonly number[]): NDArray<'float32'> =>
  new NDArray(
    'float32',
    shape,
    Float32Array.from({ length: sizeOf(shape) }, () => stream.between(-0.5, 0.5)),
  )

/** Shapes that meet one another in products and broadcasts, a matrix first. */
function randomShapes(stream: Random): readonly (readonly number[])[] {
  const [m, n] = [stream.pick([1, 2, 4, 5, 9]), stream.pick([1, 3, 4, 8, 17])]
  const batch = stream.pick([1, 2, 3, 4])
  const flat = [[m, n], [m, n], [n, m], [m, m], [n], [m], [1, n], [m, 1], []]
  return [...flat, [batch, m, n], [batch, 1, n], [m, 1, n]]
}

function sourcesOf(variables: readonly Variable[], counts: Tensor): Sources {
  const most = max(counts, { axes: [1], keepDims: true })
  return {
    variables,
    masks: [less(counts, 2), equal(most, 4), logicalAnd(less(counts, 4), greater(counts, 0))],
    counts: [counts, sum(counts, { axes: [0], keepDims: true })],
  }
}

/** What an optimizer does after a loss: variables and their moments take a step against the gradients. */
function updates({ stream, pool, sources: { variables } }: Growth): readonly Tensor[] {
  const adaptive = stream.next() < 0.5
  const found = pool.slice(-8).map((value) => slopes(value, variables))
  const gradients = found.findLast((some) => some !== undefined) ?? []
  return gradients.flatMap((gradient, i) => {
    const v = variables[i]!
    const zeros = new NDArray('float32', v.shape, new Float32Array(sizeOf(v.shape)))
    const moment = variable(zeros, { name: `moment${i}` })
    const next = add(mul(moment, 0.9), mul(gradient, 0.1))
    if (!adaptive) return [moment.assign(next), v.assign(sub(v, mul(next, 0.1)))]
    const scale = variable(zeros, { name: `scale${i}` })
    const nextScale = add(mul(scale, 0.99), mul(square(gradient), 0.01))
    const step = div(mul(next, 0.01), add(sqrt(nextScale), 0.1))
    return [moment.assign(next), scale.assign(nextScale), v.assign(sub(v, step))]
  })
}
