// The legality of the kernel IR: what every lowering may rely on without looking.
import { dtypes } from '../dtype.ts'
import { InternalError } from '../errors.ts'
import type { Size } from '../shape.ts'
import { sizeOf } from '../shape.ts'
import { affine, rangeOf } from './affine.ts'
import type { Expr } from './expr.ts'
import { isBinaryExpr, subexpressions } from './expr.ts'
import type { FusedKernel } from './kernel.ts'
import { storesEverywhere } from './kernel.ts'

/**
 * Checks that a kernel keeps the promises of the IR: dtypes agree, counters and inputs exist, what is stored once uses no reduced axis, a
 * reduction is used only when it is finished, every output is filled, and nothing is read or stored out of range.
 * @throws InternalError naming the kernel and the expression.
 */
export function verifyKernel(kernel: FusedKernel): void {
  const { axes, reduced, reductions, stores } = kernel
  const outer = axes.length - reduced
  const demand = (holds: boolean, what: string): void => {
    if (!holds) throw new InternalError(`kernel '${kernel.name}': ${what}`)
  }
  demand(
    outer >= 0 && (reduced > 0 || reductions.length === 0),
    `${reduced} of ${axes.length} axes are reduced, by ${reductions.length} reductions`,
  )
  const check = (root: Expr, counters: number, finished: number): void => {
    for (const e of subexpressions(root)) {
      const at = `${e.op} of ${e.dtype}`
      demand(dtypes[e.dtype].compute === e.dtype, `${at}: nothing is computed in ${e.dtype}`)
      if (e.op === 'axis') demand(e.axis < counters, `axis ${e.axis} is used where there are ${counters}`)
      if (e.op === 'acc')
        demand(e.reduction < finished, `reduction ${e.reduction} is used before it is finished`)
      if (e.op === 'select')
        demand(
          e.cond.dtype === 'bool' && e.a.dtype === e.b.dtype,
          `${at}: ${e.cond.dtype} ? ${e.a.dtype} : ${e.b.dtype}`,
        )
      if (isBinaryExpr(e))
        demand(e.a.dtype === e.b.dtype && e.a.dtype === e.dtype, `${at}: of ${e.a.dtype} and ${e.b.dtype}`)
      if (e.op === 'load') checkLoad(e)
    }
  }
  const checkLoad = (e: Extract<Expr, { op: 'load' }>): void => {
    const input = kernel.inputs[e.input]
    demand(input !== undefined, `input ${e.input} is read, there are ${kernel.inputs.length}`)
    demand(e.index.dtype === 'int32', `an index is ${e.index.dtype}`)
    demand(
      dtypes[input!.dtype].compute === e.dtype,
      `input ${e.input} holds ${input!.dtype}, it is read as ${e.dtype}`,
    )
    const [low, high] = rangeOf(e.index, axes)
    // What ranges cannot tell (an index that is itself read) they call anything; only what is surely wrong is refused.
    const surely = axes.every((d) => d > 0) && input!.length > 0 && (high < 0 || low >= input!.length)
    demand(!surely, `input ${e.input} of ${input!.length} elements is read at ${low} to ${high}`)
  }
  reductions.forEach(({ term }, i) => check(term, axes.length, i))
  for (const store of stores) {
    const { dtype, length, index, value } = store
    const everywhere = storesEverywhere(kernel, store)
    check(value, everywhere ? axes.length : outer, reductions.length)
    demand(value.dtype === dtypes[dtype].compute, `${value.dtype} is stored as ${dtype}`)
    const loops = everywhere ? axes : axes.slice(0, outer)
    demand(sizeOf(loops) === length, `${length} elements are stored by loops over [${loops.join(', ')}]`)
    const { terms } = affine(index)
    demand(
      [...terms.keys()].every((atom) => atom.op === 'axis' && atom.axis < axes.length),
      'an output is stored where no sum of counters says',
    )
    demand(length === 0 || fills(index, loops), `${length} elements are not stored once each`)
  }
}

/** Does an index take every position once? Its steps, smallest first, must be what the loops of smaller steps cover. */
function fills(index: Expr, loops: Size): boolean {
  const { constant, terms } = affine(index)
  const steps = loops.flatMap((size, axis) => {
    if (size === 1) return []
    const term = [...terms].find(([atom]) => atom.op === 'axis' && atom.axis === axis)
    return [{ size, step: term ? term[1] : 0 }]
  })
  let covered = 1
  for (const { size, step } of steps.sort((a, b) => a.step - b.step)) {
    if (step !== covered) return false
    covered *= size
  }
  return constant === 0
}
