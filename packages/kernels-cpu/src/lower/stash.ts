// Costly values that more than one pass needs: the first pass keeps them in an output that the last one fills, and later passes read them there.
import type { Binary, Expr, FusedKernel, KernelInput, Unary } from '@shoal/core'
import { dtypes, E, mapExpr, someExpr, storesEverywhere, subexpressions } from '@shoal/core'
import type { NumberedStore, Pass, Passes } from './passes.ts'
import { varies } from './row.ts'

/** Passes of which some keep values for others. */
export interface StashedPasses extends Passes {
  /** Outputs that are read again: the last inputs of the kernel, in this order. */
  readonly reread: readonly number[]
}

/** What takes longer than storing a number and loading it again. */
const costly = new Set<Unary | Binary>([
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
  'pow',
  'atan2',
])

/** Keeps costly values that come back in a later pass, each in an output that has its dtype and is not yet in use. */
export function stashCostly(given: Passes): StashedPasses {
  return given.passes.reduce<StashedPasses>((stashed, _, at) => stashPass(stashed, at), {
    ...given,
    reread: [],
  })
}

/** Keeps what pass `at` computes and later passes need. */
function stashPass(given: StashedPasses, at: number): StashedPasses {
  const { kernel, passes, reread } = given
  const free = passes
    .at(-1)!
    .stores.filter(
      ({ output }) => !reread.includes(output) && storesEverywhere(kernel, kernel.stores[output]!),
    )
  const kept: NumberedStore[] = []
  let later = passes.slice(at + 1)
  for (const e of costlyIn(passes[at]!, kernel)) {
    const slot = free.findIndex(({ dtype }) => dtype === e.dtype)
    if (slot < 0 || !uses(later, (x) => x === e)) continue
    const [store] = free.splice(slot, 1) as [NumberedStore]
    // One memory for all that is replaced, so that what is shared stays shared.
    const memo = new Map([[e, E.load(kernel.inputs.length + kept.length, store.index, e.dtype)]])
    later = later.map((pass) => mapPass(pass, (root) => mapExpr(root, (x) => x, memo)))
    kept.push({ ...store, value: e })
  }
  // An output may be the memory of an input that is as large: nothing may need any more what was there.
  const overwritten = (x: Expr): boolean =>
    x.op === 'load' &&
    x.input < kernel.inputs.length - reread.length &&
    kept.some((to) => bytesOf(to) === bytesOf(kernel.inputs[x.input]!))
  if (kept.length === 0 || uses(later, overwritten)) return given
  const { reductions, stores } = passes[at]!
  return {
    ...given,
    kernel: {
      ...kernel,
      inputs: [...kernel.inputs, ...kept.map(({ dtype, length }) => ({ dtype, length }))],
    },
    passes: [...passes.slice(0, at), { reductions, stores: [...stores, ...kept] }, ...later],
    reread: [...reread, ...kept.map(({ output }) => output)],
  }
}

/** The costly values that a pass reduces and that change along the reduced axes, those that contain others first. */
function costlyIn({ reductions }: Pass, kernel: FusedKernel): Expr[] {
  const reduced = kernel.axes.map((_, axis) => axis).slice(kernel.axes.length - kernel.reduced)
  const sizes = new Map<Expr, number>()
  for (const e of subexpressions(...reductions.map(({ term }) => term)))
    if (costly.has(e.op as Unary) && reduced.some((axis) => varies(e, axis, kernel)))
      sizes.set(e, [...subexpressions(e)].length)
  return [...sizes.keys()].sort((a, b) => sizes.get(b)! - sizes.get(a)!)
}

function uses(passes: readonly Pass[], holds: (e: Expr) => boolean): boolean {
  return passes.some(({ reductions, stores }) =>
    [...reductions.map(({ term }) => term), ...stores.map(({ value }) => value)].some((root) =>
      someExpr(root, holds),
    ),
  )
}

const mapPass = ({ reductions, stores }: Pass, map: (root: Expr) => Expr): Pass => ({
  reductions: reductions.map((r) => ({ ...r, term: map(r.term) })),
  stores: stores.map((s) => ({ ...s, value: map(s.value) })),
})

const bytesOf = ({ dtype, length }: KernelInput): number => dtypes[dtype].bytes * length
