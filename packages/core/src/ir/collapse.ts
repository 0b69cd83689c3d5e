// Fewer, longer loops: neighbouring axes that every index walks as if they were one become one.
import type { Expr } from './expr.ts'
import { E, mapExpr, operands } from './expr.ts'
import type { FusedKernel } from './kernel.ts'
import { affine, fromAffine } from './affine.ts'
import { Simplifier } from './simplify.ts'

/** The same kernel, simplified, over as few axes as its indices allow. */
export function collapseAxes(kernel: FusedKernel): FusedKernel {
  const simplified = dropUnitAxes(simplifyKernel(kernel))
  const uses = indexUses(simplified)
  if (!uses) return simplified
  const axes = [...simplified.axes]
  const outer = axes.length - simplified.reduced
  // coefficient[k] of axis k in each use; merging k and k+1 keeps the coefficient of k+1.
  const forms = uses.map((e) => axes.map((_, axis) => coefficientOf(e, axis)))
  const groups: number[][] = axes.map((_, axis) => [axis])
  for (let k = groups.length - 2; k >= 0; k--) {
    const [a, b] = [groups[k]!, groups[k + 1]!]
    const sameSide = a.at(-1)! < outer === b[0]! < outer
    const size = b.reduce((p, axis) => p * axes[axis]!, 1)
    const last = b.at(-1)!
    if (sameSide && forms.every((f) => f[a[0]!]! === f[last]! * size)) groups.splice(k, 2, [...a, ...b])
  }
  if (groups.length === axes.length) return simplified
  // Every axis becomes its share of the merged counter: only the last axis of a group carries it.
  const position = new Map<number, number>()
  groups.forEach((g, i) => position.set(g.at(-1)!, i))
  const merged = {
    ...simplified,
    axes: groups.map((g) => g.reduce((p, axis) => p * axes[axis]!, 1)),
    reduced: groups.filter((g) => g[0]! >= outer).length,
  }
  const renamed = (axis: number): Expr | undefined =>
    position.has(axis) ? E.axis(position.get(axis)!) : undefined
  return simplifyKernel(
    mapKernel(
      merged,
      (e) => renameLoads(e, renamed),
      (e) => renameSum(e, renamed),
    ),
  )
}

/** The same kernel with its values, and where they are stored, said otherwise. */
export function mapKernel(
  kernel: FusedKernel,
  value: (e: Expr) => Expr,
  index: (e: Expr) => Expr = value,
): FusedKernel {
  return {
    ...kernel,
    reductions: kernel.reductions.map((r) => ({ ...r, term: value(r.term) })),
    stores: kernel.stores.map((s) => ({ ...s, index: index(s.index), value: value(s.value) })),
  }
}

function simplifyKernel(kernel: FusedKernel): FusedKernel {
  const simplifier = new Simplifier(kernel.axes)
  return mapKernel(kernel, (e) => simplifier.simplify(e))
}

/** The outermost int32 sums in which loop counters stand; undefined when one stands elsewhere, so that its axis cannot be merged. */
function indexUses({ reductions, stores }: FusedKernel): readonly Expr[] | undefined {
  const uses = new Set<Expr>(stores.map(({ index }) => index))
  const seen = new Set<Expr>()
  const stack = [...reductions.map(({ term }) => term), ...stores.map(({ value }) => value)]
  for (let e = stack.pop(); e; e = stack.pop()) {
    if (seen.has(e)) continue
    seen.add(e)
    if (e.op === 'load' && isSumOfAxes(e.index)) uses.add(e.index)
    else if (e.op === 'axis') return undefined
    else stack.push(...operands(e))
  }
  return [...uses]
}

const isSumOfAxes = (e: Expr): boolean => [...affine(e).terms.keys()].every((atom) => atom.op === 'axis')

function coefficientOf(e: Expr, axis: number): number {
  for (const [atom, coefficient] of affine(e).terms)
    if (atom.op === 'axis' && atom.axis === axis) return coefficient
  return 0
}

/** Replaces counters in sums; an undefined replacement drops the term (its part is carried by another axis). */
function renameSum(e: Expr, rename: (axis: number) => Expr | undefined): Expr {
  const { constant, terms } = affine(e)
  const next = new Map<Expr, number>()
  for (const [atom, coefficient] of terms) {
    const renamed = atom.op === 'axis' ? rename(atom.axis) : atom
    if (renamed) next.set(renamed, coefficient)
  }
  return fromAffine({ constant, terms: next })
}

const renameLoads = (root: Expr, rename: (axis: number) => Expr | undefined): Expr =>
  mapExpr(root, (e) => (e.op === 'load' ? { ...e, index: renameSum(e.index, rename) } : e))

/** Axes of size 1 are no loops. */
function dropUnitAxes(kernel: FusedKernel): FusedKernel {
  const outer = kernel.axes.length - kernel.reduced
  const last = kernel.axes.length - 1
  // A reduction over one term keeps a loop all the same.
  const reducesOne = kernel.reductions.length > 0 && kernel.axes.slice(outer).every((d) => d === 1)
  const kept = kernel.axes
    .map((_, axis) => axis)
    .filter((axis) => kernel.axes[axis] !== 1 || (reducesOne && axis === last))
  if (kept.length === kernel.axes.length) return kernel
  const rename = (root: Expr): Expr =>
    mapExpr(root, (e) =>
      e.op !== 'axis' ? e : kept.includes(e.axis) ? E.axis(kept.indexOf(e.axis)) : E.num(0, 'int32'),
    )
  return simplifyKernel({
    ...mapKernel(kernel, rename),
    axes: kept.map((axis) => kernel.axes[axis]!),
    reduced: kept.filter((axis) => axis >= outer).length,
  })
}
