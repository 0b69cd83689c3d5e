// Scalar expressions: the value of one element, as an immutable DAG of a closed set of operations that every target must know.
import type { DType } from '../dtype.ts'
import { dtypes } from '../dtype.ts'
import { toDType } from './scalarFunctions.ts'

/** Functions of one number. Those from `exp` on are only defined on floats; `not` on bool; `bitNot` on integers. */
export type Unary =
  | 'neg'
  | 'abs'
  | 'sign'
  | 'not'
  | 'bitNot'
  | 'floor'
  | 'ceil'
  | 'round'
  | 'trunc'
  | 'sqrt'
  | 'exp'
  | 'expm1'
  | 'log'
  | 'log1p'
  | 'sin'
  | 'cos'
  | 'tan'
  | 'asin'
  | 'acos'
  | 'atan'
  | 'sinh'
  | 'cosh'
  | 'tanh'
  | 'asinh'
  | 'acosh'
  | 'atanh'
  | 'erf'
  | 'erfc'
  | 'erfinv'
  | 'lgamma'
  | 'digamma'

/**
 * Functions of two numbers of one dtype. Integer `div` and `rem` truncate (by zero: 0); `min` and `max` answer NaN if either is NaN;
 * shifts take the amount modulo the width, `shr` keeps the sign of signed integers; `and`, `or`, `xor` are bitwise, on bool logical.
 */
export type Binary =
  | 'add'
  | 'sub'
  | 'mul'
  | 'div'
  | 'rem'
  | 'pow'
  | 'atan2'
  | 'min'
  | 'max'
  | 'and'
  | 'or'
  | 'xor'
  | 'shl'
  | 'shr'

/** Comparisons; the answer is bool. Every one but `ne` is false when either side is NaN. */
export type Comparison = 'lt' | 'le' | 'eq' | 'ne'

/** A scalar value. `dtype` is always one that arithmetic happens in: float16 and bfloat16 are widened on load. */
export type Expr =
  | { readonly op: 'const'; readonly dtype: DType; readonly value: number | bigint }
  /** A loop counter, int32. */
  | { readonly op: 'axis'; readonly dtype: 'int32'; readonly axis: number }
  /** Element `index` (flat) of a kernel's input. */
  | { readonly op: 'load'; readonly dtype: DType; readonly input: number; readonly index: Expr }
  /** A finished reduction of the kernel. */
  | { readonly op: 'acc'; readonly dtype: DType; readonly reduction: number }
  /** Conversion; floats to integers truncate and saturate (NaN: 0), integers wrap, to bool is `!= 0`; to float16 or bfloat16 rounds and widens again. */
  | { readonly op: 'cast'; readonly dtype: DType; readonly to: DType; readonly x: Expr }
  | { readonly op: 'select'; readonly dtype: DType; readonly cond: Expr; readonly a: Expr; readonly b: Expr }
  | { readonly op: Unary; readonly dtype: DType; readonly x: Expr }
  | { readonly op: Binary; readonly dtype: DType; readonly a: Expr; readonly b: Expr }
  | { readonly op: Comparison; readonly dtype: 'bool'; readonly a: Expr; readonly b: Expr }

/** Every unary operation. */
export const unaryNames = [
  'neg',
  'abs',
  'sign',
  'not',
  'bitNot',
  'floor',
  'ceil',
  'round',
  'trunc',
  'sqrt',
  'exp',
  'expm1',
  'log',
  'log1p',
  'sin',
  'cos',
  'tan',
  'asin',
  'acos',
  'atan',
  'sinh',
  'cosh',
  'tanh',
  'asinh',
  'acosh',
  'atanh',
  'erf',
  'erfc',
  'erfinv',
  'lgamma',
  'digamma',
] as const satisfies readonly Unary[]
/** Every binary operation. */
export const binaryNames = [
  'add',
  'sub',
  'mul',
  'div',
  'rem',
  'pow',
  'atan2',
  'min',
  'max',
  'and',
  'or',
  'xor',
  'shl',
  'shr',
] as const satisfies readonly Binary[]
/** Every comparison. */
export const comparisonNames = ['lt', 'le', 'eq', 'ne'] as const satisfies readonly Comparison[]

type Constructors = { readonly [K in Unary]: (x: Expr) => Expr } & {
  readonly [K in Binary]: (a: Expr, b: Expr) => Expr
} & {
  readonly [K in Comparison]: (a: Expr, b: Expr) => Expr
}
/** A table with one entry per name. */
export const fromNames = <K extends string, F>(names: readonly K[], make: (op: K) => F): { [P in K]: F } =>
  Object.fromEntries(names.map((op) => [op, make(op)])) as { [P in K]: F }

/** Constructors of expressions: `E.add(a, b)`, `E.num(1, 'float32')`, `E.select(cond, a, b)`. */
export const E: Constructors & {
  num(value: number | bigint, dtype: DType): Expr
  axis(axis: number): Expr
  load(input: number, index: Expr, dtype: DType): Expr
  acc(reduction: number, dtype: DType): Expr
  cast(x: Expr, to: DType): Expr
  select(cond: Expr, a: Expr, b: Expr): Expr
} = {
  ...fromNames(
    unaryNames,
    (op) =>
      (x: Expr): Expr => ({ op, dtype: x.dtype, x }),
  ),
  ...fromNames(
    binaryNames,
    (op) =>
      (a: Expr, b: Expr): Expr => ({ op, dtype: a.dtype, a, b }),
  ),
  ...fromNames(
    comparisonNames,
    (op) =>
      (a: Expr, b: Expr): Expr => ({ op, dtype: 'bool', a, b }),
  ),
  num: (value, dtype) => ({
    op: 'const',
    dtype: dtypes[dtype].compute,
    // Rounded here, so that a constant is the same number as an element that was stored.
    value: dtype === 'int64' ? BigInt.asIntN(64, BigInt(value)) : toDType(dtype)(Number(value)),
  }),
  axis: (axis) => ({ op: 'axis', dtype: 'int32', axis }),
  load: (input, index, dtype) => ({ op: 'load', dtype: dtypes[dtype].compute, input, index }),
  acc: (reduction, dtype) => ({ op: 'acc', dtype: dtypes[dtype].compute, reduction }),
  cast: (x, to) => (x.dtype === to ? x : { op: 'cast', dtype: dtypes[to].compute, to, x }),
  select: (cond, a, b) => ({ op: 'select', dtype: a.dtype, cond, a, b }),
}

/** What a target must say, complete by its type: a new scalar operation does not compile until every target has it. */
export interface ScalarTarget<V> {
  readonly unary: { readonly [K in Unary]: (x: V, dtype: DType) => V }
  readonly binary: { readonly [K in Binary]: (a: V, b: V, dtype: DType) => V }
  /** `dtype` is that of the operands. */
  readonly compare: { readonly [K in Comparison]: (a: V, b: V, dtype: DType) => V }
  const(value: number | bigint, dtype: DType): V
  axis(axis: number): V
  load(input: number, index: V, dtype: DType): V
  cast(x: V, from: DType, to: DType): V
  select(cond: V, a: V, b: V, dtype: DType): V
  acc(reduction: number, dtype: DType): V
}

const isUnary = (op: Expr['op']): op is Unary => (unaryNames as readonly string[]).includes(op)
const isBinary = (op: Expr['op']): op is Binary => (binaryNames as readonly string[]).includes(op)

/** The sub-expressions of an expression, in order. */
export function operands(e: Expr): readonly Expr[] {
  if (e.op === 'load') return [e.index]
  if (e.op === 'select') return [e.cond, e.a, e.b]
  if ('x' in e) return [e.x]
  return 'a' in e ? [e.a, e.b] : []
}

/** Every distinct sub-expression of some expressions, themselves included. */
export function* subexpressions(...roots: readonly Expr[]): Generator<Expr, void, undefined> {
  const seen = new Set<Expr>()
  const stack = [...roots]
  for (let e = stack.pop(); e; e = stack.pop()) {
    if (seen.has(e)) continue
    seen.add(e)
    yield e
    stack.push(...operands(e))
  }
}

/** Does something hold of an expression or one of its sub-expressions? */
export function someExpr(root: Expr, holds: (e: Expr) => boolean): boolean {
  for (const e of subexpressions(root)) if (holds(e)) return true
  return false
}

/** Walks an expression once per distinct object, operands first, and says it in a target's words. WASM, WGSL and the interpreter share this walk. */
export function emit<V>(root: Expr, target: ScalarTarget<V>, memo: Map<Expr, V> = new Map()): V {
  const stack: Expr[] = [root]
  while (stack.length > 0) {
    const e = stack[stack.length - 1]!
    const pending = memo.has(e) ? [] : operands(e).filter((x) => !memo.has(x))
    if (pending.length > 0) stack.push(...pending.reverse())
    else {
      if (!memo.has(e))
        memo.set(
          e,
          say(e, target, (x) => memo.get(x) as V),
        )
      stack.pop()
    }
  }
  return memo.get(root) as V
}

function say<V>(e: Expr, target: ScalarTarget<V>, at: (x: Expr) => V): V {
  switch (e.op) {
    case 'const':
      return target.const(e.value, e.dtype)
    case 'axis':
      return target.axis(e.axis)
    case 'load':
      return target.load(e.input, at(e.index), e.dtype)
    case 'acc':
      return target.acc(e.reduction, e.dtype)
    case 'cast':
      return target.cast(at(e.x), e.x.dtype, e.to)
    case 'select':
      return target.select(at(e.cond), at(e.a), at(e.b), e.dtype)
    case 'lt':
    case 'le':
    case 'eq':
    case 'ne':
      return target.compare[e.op](at(e.a), at(e.b), e.a.dtype)
    default:
      return 'x' in e ? target.unary[e.op](at(e.x), e.dtype) : target.binary[e.op](at(e.a), at(e.b), e.dtype)
  }
}

/** The same expression over other operands; the same object when they are the same. */
export function withOperands(e: Expr, next: readonly Expr[]): Expr {
  const old = operands(e)
  if (old.every((x, i) => x === next[i])) return e
  const [p, q, r] = next as [Expr, Expr, Expr]
  if (e.op === 'load') return { ...e, index: p }
  if (e.op === 'select') return { ...e, cond: p, a: q, b: r }
  if ('x' in e) return { ...e, x: p }
  return { ...e, a: p, b: q } as Expr
}

/** Rebuilds an expression bottom-up; `rule` sees each distinct object once, with its operands already rebuilt. */
export function mapExpr(root: Expr, rule: (e: Expr) => Expr, memo: Map<Expr, Expr> = new Map()): Expr {
  const stack: Expr[] = [root]
  while (stack.length > 0) {
    const e = stack[stack.length - 1]!
    const pending = memo.has(e) ? [] : operands(e).filter((x) => !memo.has(x))
    if (pending.length > 0) stack.push(...pending)
    else {
      if (!memo.has(e))
        memo.set(
          e,
          rule(
            withOperands(
              e,
              operands(e).map((x) => memo.get(x)!),
            ),
          ),
        )
      stack.pop()
    }
  }
  return memo.get(root)!
}

/** Kinds of operations by name, for rule tables and verifiers. */
export const isUnaryExpr = (e: Expr): e is Extract<Expr, { op: Unary }> => isUnary(e.op)
/** @see isUnaryExpr */
export const isBinaryExpr = (e: Expr): e is Extract<Expr, { op: Binary }> => isBinary(e.op)
