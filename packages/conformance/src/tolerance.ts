// How far two devices may differ: a bound that follows from the operations on the way to a value and its dtype, never from the test.
import type { DType, Expr, Graph, Node, Tensor } from '@shoal/core'
import { dtypes, E, expandNode, isConcrete, isSubgraph, operands, sizeOf, toposort } from '@shoal/core'

/** The error that a computation may have. */
export interface Tolerance {
  /** Roundings, in units of the last place, along the longest way from an input. 0 demands equality. */
  readonly units: number
  /** Are there sums or differences? Then errors are as large as the terms, which may be larger than the result. */
  readonly cancels: boolean
}

/** The tolerance of values that must be equal. */
export const exact: Tolerance = { units: 0, cancels: false }

/** The distance from 1 to the next number of each float dtype. */
const epsilon: Readonly<Partial<Record<DType, number>>> = {
  float32: 2 ** -23,
  float64: 2 ** -52,
  float16: 2 ** -10,
  bfloat16: 2 ** -7,
}

/**
 * How far a value may be from the expected one.
 * @param scale the largest magnitude among the expected values around it.
 */
export function allowance(tolerance: Tolerance, dtype: DType, expected: number, scale: number): number {
  const eps = epsilon[dtype] ?? 0
  const magnitude = Math.max(Math.abs(expected), tolerance.cancels ? Math.max(1, scale) : 0)
  // The smallest numbers have fewer digits; devices may flush them to zero.
  return tolerance.units * (eps * magnitude + (dtype === 'float16' ? 2 ** -24 : 2 ** -126))
}

/** Errors of scalar operations in units of the last place, complete by its type. */
const scalarUnits: Readonly<Record<Expr['op'], number>> = {
  const: 0,
  axis: 0,
  load: 0,
  acc: 0,
  cast: 1,
  select: 0,
  neg: 0,
  abs: 0,
  sign: 0,
  not: 0,
  bitNot: 0,
  floor: 0,
  ceil: 0,
  round: 0,
  trunc: 0,
  min: 0,
  max: 0,
  rem: 1,
  and: 0,
  or: 0,
  xor: 0,
  shl: 0,
  shr: 0,
  lt: 0,
  le: 0,
  eq: 0,
  ne: 0,
  add: 1,
  sub: 1,
  mul: 1,
  div: 2,
  sqrt: 2,
  exp: 4,
  expm1: 4,
  log: 4,
  log1p: 4,
  sin: 4,
  cos: 4,
  tan: 6,
  asin: 6,
  acos: 6,
  atan: 4,
  atan2: 6,
  sinh: 6,
  cosh: 6,
  tanh: 6,
  asinh: 6,
  acosh: 6,
  atanh: 6,
  pow: 16,
  erf: 16,
  erfc: 64,
  erfinv: 64,
  lgamma: 64,
  digamma: 64,
}
const cancelling: ReadonlySet<Expr['op']> = new Set([
  'add',
  'sub',
  'rem',
  'sin',
  'cos',
  'tan',
  'lgamma',
  'digamma',
])

/** Kernels that only move or compare elements. */
const moving: ReadonlySet<string> = new Set([
  'Bitcast',
  'Concat',
  'Gather',
  'GatherNd',
  'MaxPool',
  'MaxPoolGradGrad',
  'TopK',
])
/** Kernels that solve systems or iterate: errors grow with the condition of the matrices. */
const iterative: ReadonlySet<string> = new Set([
  'Cholesky',
  'Determinant',
  'Eigh',
  'LogDeterminant',
  'Lu',
  'Qr',
  'Solve',
  'Svd',
  'TriangularSolve',
])
/** What an op is worth that cannot be looked into before it runs. */
const opaqueUnits = 16
const holdsState: ReadonlySet<string> = new Set(['assign', 'readVariable', 'scatter'])
/** What a loop is worth: its body as if it ran so many times one after the other. */
const loopFactor = 16

/** The tolerance of what a graph computes: each tensor's own. */
export function tolerances(graph: Graph): (t: Tensor) => Tolerance {
  const known = new Map<Node, Tolerance>()
  const visit = (g: Graph): void =>
    toposort(g, (n) => !known.has(n)).forEach((n) => known.set(n, ofNode(n, at)))
  const at = (t: Tensor): Tolerance => {
    if (!known.has(t.node)) visit({ fetches: [t], targets: [] })
    const found = known.get(t.node)!
    // Indices, counts and truths are right or wrong.
    return dtypes[t.dtype].kind === 'float' ? found : exact
  }
  visit(graph)
  return at
}

function ofNode(node: Node, at: (t: Tensor) => Tolerance): Tolerance {
  const inputs = node.inputs.filter((_, i) => !node.op.traits.shapeOnly?.(i)).map(at)
  const opened = parts(node)
  if (opened) return worst(opened.map(at))
  const own = ownTolerance(node, at)
  const before = worst(inputs)
  return { units: before.units + own.units, cancels: before.cancels || own.cancels }
}

const worst = (all: readonly Tolerance[]): Tolerance => ({
  units: Math.max(0, ...all.map((t) => t.units)),
  cancels: all.some((t) => t.cancels),
})

/** What a composite is made of, where its sizes allow to say. */
function parts(node: Node): readonly Tensor[] | undefined {
  return node.op.body.kind === 'composite' && node.inputs.every((t) => isConcrete(t.shape))
    ? expandNode(node)
    : undefined
}

function ownTolerance(node: Node, at: (t: Tensor) => Tolerance): Tolerance {
  const { body } = node.op
  if (body.kind === 'view') return exact
  if (body.kind === 'composite') return { units: opaqueUnits, cancels: true }
  // What a variable holds may have been added up by this run and those before.
  if (body.kind === 'runtime' && holdsState.has(body.role)) return { units: opaqueUnits, cancels: true }
  if (body.kind === 'runtime') return ofBodies(node, at)
  if (body.kind === 'scalar') return ofScalar(node)
  if (body.kind === 'reduce') return ofReduction(body.combine, node)
  if (moving.has(node.op.name)) return exact
  const size = accumulated(node)
  return { units: iterative.has(node.op.name) ? 64 * size : 4 + size, cancels: true }
}

/** Control flow is as inexact as its bodies. */
function ofBodies(node: Node, at: (t: Tensor) => Tolerance): Tolerance {
  const bodies = Object.values(node.attrs).flat().filter(isSubgraph)
  const inside = worst(bodies.flatMap((b) => b.fetches.map(at)))
  return { units: inside.units * loopFactor, cancels: inside.cancels }
}

function ofReduction(combine: string, node: Node): Tolerance {
  if (combine === 'max' || combine === 'min') return exact
  return { units: 1 + accumulated(node), cancels: combine === 'sum' }
}

function ofScalar(node: Node): Tolerance {
  const { body } = node.op
  const [output] = node.outputs
  if (body.kind !== 'scalar' || !output) return exact
  const rank = output.rank
  const loads = node.inputs.map((t, i) => E.load(i, E.num(0, 'int32'), t.dtype))
  const at = Array.from({ length: rank }, (_, axis) => E.axis(axis))
  const concrete = (t: Tensor) => ({
    dtype: t.dtype,
    shape: t.shape.map((d) => (typeof d === 'number' ? d : 1)),
  })
  const context = { at, inputs: node.inputs.map(concrete), output: concrete(output) }
  const expr = body.expr(loads as never, node.attrs as never, context)
  // Storing rounds once more where arithmetic is wider than the dtype.
  const stored = dtypes[output.dtype].compute === output.dtype ? 0 : 1
  const units = unitsOf(expr, new Map())
  return { units: units + (units > 0 ? stored : 0), cancels: cancelsIn(expr, new Set()) }
}

const isFloat = (e: Expr): boolean => dtypes[e.dtype].kind === 'float'

function unitsOf(e: Expr, memo: Map<Expr, number>): number {
  const seen = memo.get(e)
  if (seen !== undefined) return seen
  const before = Math.max(0, ...operands(e).map((x) => unitsOf(x, memo)))
  const units = before + (isFloat(e) ? scalarUnits[e.op] : 0)
  memo.set(e, units)
  return units
}

function cancelsIn(e: Expr, seen: Set<Expr>): boolean {
  if (seen.has(e)) return false
  seen.add(e)
  return (isFloat(e) && cancelling.has(e.op)) || operands(e).some((x) => cancelsIn(x, seen))
}

const longest = (t: Tensor | undefined): readonly number[] =>
  (t?.shape ?? []).filter((d) => typeof d === 'number')

/** About how many products or terms meet in one element of the output: k for [m, k] × [k, n], n for a sum over n. */
function accumulated(node: Node): number {
  const count = (t: Tensor): number =>
    sizeOf(t.shape.map((d) => (typeof d === 'number' ? Math.max(1, d) : 1)))
  const terms = node.inputs.filter(
    (t, i) => dtypes[t.dtype].kind === 'float' && !node.op.traits.shapeOnly?.(i),
  )
  const sizes = terms.map(count)
  const output = Math.max(1, ...node.outputs.map(count))
  // A kernel of one input of the output's size still may add up along an axis, as running sums do.
  if (sizes.length < 2) return Math.max(1, (sizes[0] ?? 1) / output, ...longest(terms[0]))
  const product = sizes.slice(0, 2).reduce((p, n) => p * n, 1)
  return Math.ceil(Math.max(1, Math.sqrt(product / output)))
}
