// Makes expressions canonical: equal ones become one object, constants meet, index arithmetic is solved where ranges allow.
import type { Size } from '../shape.ts'
import type { Affine } from './affine.ts'
import { affine, divideAffine, fromAffine, rangeOf } from './affine.ts'
import type { Binary, Expr } from './expr.ts'
import { E, isBinaryExpr, isUnaryExpr, mapExpr, operands } from './expr.ts'
import { binaryFunction, castFunction, onNumber, unaryFunction } from './scalarFunctions.ts'
import { int } from './view.ts'

/** Simplifies expressions that run over the same axes; equal answers are the same object. */
export class Simplifier {
  private readonly axes: Size
  private readonly table = new Map<string, Expr>()
  private readonly ids = new Map<Expr, number>()
  private readonly done = new Map<Expr, Expr>()
  constructor(axes: Size) {
    this.axes = axes
  }

  /** The canonical form of an expression. */
  simplify(e: Expr): Expr {
    return mapExpr(e, (x) => this.canonical(x), this.done)
  }

  private canonical(e: Expr): Expr {
    let current = e
    // Every rule makes the expression smaller or more constant; the limit only guards against a rule that is wrong.
    for (let round = 0; round < 8; round++) {
      const next = this.step(current)
      if (next === current) break
      current = mapExpr(next, (x) => this.intern(x))
    }
    return this.intern(current)
  }

  private step(e: Expr): Expr {
    const folded = fold(e)
    if (folded !== e) return folded
    if (
      e.dtype === 'int32' ||
      (e.op === 'lt' && e.a.dtype === 'int32') ||
      (e.op === 'le' && e.a.dtype === 'int32')
    )
      return this.stepIndex(e)
    return e
  }

  private stepIndex(e: Expr): Expr {
    if ((e.op === 'div' || e.op === 'rem') && e.b.op === 'const' && Number(e.b.value) > 0) {
      const solved = divideAffine(e.a, Number(e.b.value), this.axes)
      if (solved) return fromAffine(e.op === 'div' ? solved.quotient : solved.rest)
      const inner = e.a
      if (e.op === 'div' && inner.op === 'div' && inner.b.op === 'const' && Number(inner.b.value) > 0) {
        const by = Number(inner.b.value) * Number(e.b.value)
        // By 2^31 exactly, which is no int32, the least int32 gives -1 and all others 0.
        return by < 2 ** 31 ? E.div(inner.a, int(by)) : by > 2 ** 31 ? int(0) : e
      }
    }
    if (e.op === 'add' || e.op === 'sub' || (e.op === 'mul' && (e.a.op === 'const' || e.b.op === 'const'))) {
      const plain = affine(e)
      const open = this.openRests(plain)
      const sum = this.internDeep(fromAffine(open.terms.size <= plain.terms.size ? open : plain))
      return sum === this.intern(e) ? e : sum
    }
    if (e.op === 'lt' || e.op === 'le') return this.compare(e)
    return e
  }

  /** The sum with x % c said as x - c · (x / c), which cancels where a position was taken apart and put together again. */
  private openRests(form: Affine): Affine {
    // x % 0 is 0, and so is x / 0: there the two do not make up x.
    const rests = [...form.terms.keys()].filter(
      (atom) => atom.op === 'rem' && atom.b.op === 'const' && Number(atom.b.value) !== 0,
    )
    if (rests.length === 0) return form
    const opened = mapExpr(fromAffine(form), (e) =>
      e.op !== 'rem' || e.b.op !== 'const' || !rests.includes(this.intern(e))
        ? this.intern(e)
        : E.sub(e.a, E.mul(e.b, this.simplify(E.div(e.a, e.b)))),
    )
    return affine(this.internDeep(opened))
  }

  /** A comparison that the ranges decide. */
  private compare(e: Extract<Expr, { op: 'lt' | 'le' | 'eq' | 'ne' }>): Expr {
    const [a, b] = [rangeOf(e.a, this.axes), rangeOf(e.b, this.axes)]
    const holds = e.op === 'lt' ? a[1] < b[0] : a[1] <= b[0]
    const fails = e.op === 'lt' ? a[0] >= b[1] : a[0] > b[1]
    return holds ? truth(true) : fails ? truth(false) : e
  }

  private internDeep(e: Expr): Expr {
    return mapExpr(e, (x) => this.intern(x))
  }

  private intern(e: Expr): Expr {
    const parts = operands(e).map((x) => this.ids.get(x) ?? this.ids.get(this.internDeep(x)))
    const own =
      e.op === 'const'
        ? Object.is(e.value, -0)
          ? '-0'
          : String(e.value)
        : e.op === 'axis'
          ? e.axis
          : e.op === 'load'
            ? e.input
            : e.op === 'acc'
              ? e.reduction
              : e.op === 'cast'
                ? e.to
                : ''
    const key = `${e.op}|${e.dtype}|${own}|${parts.join(',')}`
    const known = this.table.get(key)
    if (known) return known
    this.table.set(key, e)
    this.ids.set(e, this.ids.size)
    return e
  }
}

const truth = (value: boolean): Expr => E.num(value ? 1 : 0, 'bool')
const isNumber = (e: Expr, value: number): boolean =>
  e.op === 'const' && Number(e.value) === value && !Object.is(e.value, -0)

/** Constants meet, and what does nothing goes; only rules that are exact in floating point, NaN and -0 included. */
function fold(e: Expr): Expr {
  if (e.op === 'select') {
    if (e.cond.op === 'const') return Number(e.cond.value) ? e.a : e.b
    return e.a === e.b ? e.a : e
  }
  if (e.op === 'cast') {
    if (e.x.op !== 'const') return e
    const value = castFunction(e.x.dtype, e.to)(e.x.value)
    return E.num(value, e.dtype)
  }
  if (isUnaryExpr(e)) {
    if (e.x.op !== 'const' || e.dtype === 'int64') return e
    return E.num(unaryFunction(e.op, e.dtype)(Number(e.x.value)), e.dtype)
  }
  if (e.op === 'lt' || e.op === 'le' || e.op === 'eq' || e.op === 'ne') {
    if (e.a.op !== 'const' || e.b.op !== 'const' || e.a.dtype === 'int64') return e
    return truth(onNumber.compare[e.op](Number(e.a.value), Number(e.b.value)))
  }
  if (!isBinaryExpr(e)) return e
  if (e.a.op === 'const' && e.b.op === 'const' && e.dtype !== 'int64')
    return E.num(binaryFunction(e.op, e.dtype)(Number(e.a.value), Number(e.b.value)), e.dtype)
  switch (e.op) {
    case 'mul':
      return isNumber(e.b, 1)
        ? e.a
        : isNumber(e.a, 1)
          ? e.b
          : e.dtype === 'int32' && (isNumber(e.a, 0) || isNumber(e.b, 0))
            ? int(0)
            : e
    case 'div':
      return isNumber(e.b, 1) ? e.a : e
    case 'sub':
      return isNumber(e.b, 0) ? e.a : e
    case 'and':
      return e.dtype === 'bool' ? foldLogic(e, 1) : e
    case 'or':
      return e.dtype === 'bool' ? foldLogic(e, 0) : e
    default:
      return e
  }
}

/** A logical operation on a truth that is known: the neutral one leaves the other side, its opposite decides. */
function foldLogic(e: Extract<Expr, { op: Binary }>, neutral: 0 | 1): Expr {
  if (isNumber(e.a, neutral)) return e.b
  if (isNumber(e.b, neutral)) return e.a
  const decided = 1 - neutral
  return isNumber(e.a, decided) || isNumber(e.b, decided) ? truth(decided === 1) : e
}
