// What random graphs do with variables and bodies: reads and writes in every order, branches, loops, gradients.
import type { Tensor, Variable } from '@shoal/core'
import {
  add,
  cond,
  constant,
  controlDependencies,
  GradientError,
  gradients,
  identity,
  less,
  mean,
  mul,
  reshape,
  scan,
  sizeOf,
  slice,
  square,
  tanh,
  whileLoop,
} from '@shoal/core'
import type { Growth, GraphStep } from './growth.ts'
import { broadcast, shaped, sizesOf } from './growth.ts'

/** One body writes no more often. */
const maxWrites = 6

/** Builds something after one of the writes before it, or in no order to them. */
const perhapsAfter = (growth: Growth, probability: number, make: () => Tensor): Tensor =>
  growth.writes.length > 0 && growth.chance(probability)
    ? controlDependencies([growth.stream.pick(growth.writes)], make)
    : make()

const readVariable: GraphStep = (growth) => {
  const v = growth.stream.pick(growth.sources.variables)
  return perhapsAfter(growth, 0.5, () => identity(v.read()))
}

/** A value of a variable's shape: under another shape, or broadcast over the old value. */
function newValue(growth: Growth, v: Variable): Tensor | undefined {
  const fits = (t: Tensor): boolean => sizeOf(sizesOf(t)) === sizeOf(v.shape)
  const value = growth.find((t) => fits(t) || broadcast(sizesOf(t), v.shape)?.join() === v.shape.join())
  // What another variable was just given, as it is.
  const given = growth.writes.findLast(fits)
  if (given && growth.chance(0.4)) return shaped(given, v.shape)
  if (!value) return undefined
  if (!fits(value)) return add(value, mul(v, 0.1))
  const y = shaped(value, v.shape)
  return growth.chance(0.5) ? tanh(add(mul(y, 0.9), mul(v, 0.1))) : y
}

const writeVariable: GraphStep = (growth) => {
  const { stream, writes, sources } = growth
  if (writes.length >= maxWrites) return undefined
  const v = stream.pick(sources.variables)
  const value = newValue(growth, v)
  if (!value) return undefined
  const rows = v.shape[0] ?? 0
  const ends = (): Tensor => slice(value, { begin: v.shape.map(() => 0), size: [2, ...v.shape.slice(1)] })
  const way = stream.pick<() => Tensor>([
    () => v.assign(value),
    () => v.assign(value),
    () => v.assign(value),
    () => v.assignAdd(mul(value, 0.1)),
    () => v.assignSub(mul(value, 0.1)),
    () =>
      rows < 2 ? v.assign(value) : v.scatter([0, rows - 1], mul(ends(), 0.5), stream.pick(['set', 'add'])),
  ])
  const written = perhapsAfter(growth, 0.4, way)
  writes.push(written)
  return growth.chance(0.6) ? identity(written) : undefined
}

/** A body that answers a value of a shape after all that it writes. */
function body(growth: Growth, more: readonly Tensor[], shape: readonly number[], steps: number): Tensor {
  const inside = growth.inside(more).grow(steps)
  // What the body is given has the shape, so that there is always one.
  const written = inside.writes.findLast((t) => sizeOf(sizesOf(t)) === sizeOf(shape))
  const answer = written && growth.chance(0.5) ? shaped(written, shape) : inside.latestAs(shape)!
  return inside.writes.length === 0
    ? answer
    : controlDependencies(inside.writes, () => underway(growth, answer))
}
/** The same value by another way that computes nothing. */
const underway = (growth: Growth, t: Tensor): Tensor =>
  growth.chance(0.5) ? identity(t) : reshape(t, { shape: sizesOf(t) })

/** Bodies in bodies in bodies take long and show nothing new. */
const maxDepth = 2

const branched: GraphStep = (growth) => {
  if (growth.depth >= maxDepth) return undefined
  const x = growth.any()
  const branch = (): Tensor => body(growth, [x], sizesOf(x), growth.stream.integer(3, 8))
  return cond(constant(growth.chance(0.5)), branch, branch)
}

const repeated: GraphStep = (growth) => {
  if (growth.depth >= maxDepth) return undefined
  const x = growth.any()
  const steps = growth.stream.integer(3, 8)
  const [, last] = whileLoop(
    (i) => less(i!, 3),
    (i, value) => [add(i!, 1), body(growth, [value!], sizesOf(x), steps)],
    [constant(0, 'int32'), x],
    // With a bound its gradients have sizes that are known.
    { maxIterations: 3 },
  )
  return tanh(last!)
}

/** A recurrence over few rows. */
const scanned: GraphStep = (growth) => {
  const x = growth.find((t) => t.rank > 0 && sizesOf(t)[0]! <= 8)
  if (!x || growth.depth >= maxDepth) return undefined
  const step = (state: readonly Tensor[], rows: readonly Tensor[]) => {
    const next = tanh(add(mul(state[0]!, 0.5), rows[0]!))
    const result = body(growth, [next], sizesOf(next), 3)
    return [[next], [result]] as const
  }
  return scan(step, [mean(x, { axes: [0] })], [x]).results[0]
}

const derived: GraphStep = (growth) => {
  if (growth.depth > 0) return undefined
  const v = growth.stream.pick(growth.sources.variables)
  const [gradient] = slopes(growth.any(), [v]) ?? []
  return gradient && tanh(gradient)
}

/** The gradients of the mean square of a value, unless assignments are in its way. */
export function slopes(value: Tensor, variables: readonly Variable[]): readonly Tensor[] | undefined {
  try {
    return gradients(mean(square(value)), variables)
  } catch (error) {
    if (error instanceof GradientError) return undefined
    throw error
  }
}

/** All that reads, writes and contains. */
export const statefulSteps: readonly GraphStep[] = [
  readVariable,
  writeVariable,
  writeVariable,
  branched,
  repeated,
  scanned,
  derived,
]
