// The legality of the kernel IR: what every lowering may rely on without looking.
import { dtypes } from '../dtype.ts'
import { InternalError } from '../errors.ts'
import { sizeOf } from '../shape.ts'
import { rangeOf } from './affine.ts'
import type { Expr } from './expr.ts'
import { isBinaryExpr, operands } from './expr.ts'
import type { FusedKernel } from './kernel.ts'

/**
 * Checks that a kernel keeps the promises of the IR: dtypes agree, counters and inputs exist, an epilogue uses no reduced axis, a finished
 * reduction is used only there, and nothing is read out of range.
 * @throws InternalError naming the kernel and the expression.
 */
export function verifyKernel(kernel: FusedKernel): void {
  const outer = kernel.axes.length - kernel.reduced
  const demand = (holds: boolean, what: string): void => {
    if (!holds) throw new InternalError(`kernel '${kernel.name}': ${what}`)
  }
  demand(
    outer >= 0 && (kernel.reduced > 0 || !kernel.reduce),
    `${kernel.reduced} of ${kernel.axes.length} axes are reduced`,
  )
  demand(
    sizeOf(kernel.axes.slice(0, outer)) === kernel.output.length,
    `${kernel.output.length} elements are stored by loops over [${kernel.axes.join(', ')}]`,
  )
  const check = (root: Expr, axes: number, inEpilogue: boolean): void => {
    for (const e of reachable(root)) {
      const at = `${e.op} of ${e.dtype}`
      demand(dtypes[e.dtype].compute === e.dtype, `${at}: nothing is computed in ${e.dtype}`)
      if (e.op === 'axis') demand(e.axis < axes, `axis ${e.axis} is used where there are ${axes}`)
      if (e.op === 'acc') demand(inEpilogue, 'a finished reduction is used before it is finished')
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
    const [low, high] = rangeOf(e.index, kernel.axes)
    // What ranges cannot tell (an index that is itself read) they call anything; only what is surely wrong is refused.
    const surely = kernel.axes.every((d) => d > 0) && input!.length > 0 && (high < 0 || low >= input!.length)
    demand(!surely, `input ${e.input} of ${input!.length} elements is read at ${low} to ${high}`)
  }
  check(kernel.body, kernel.axes.length, false)
  if (kernel.reduce) check(kernel.reduce.epilogue, outer, true)
}

function reachable(root: Expr): Set<Expr> {
  const seen = new Set<Expr>()
  const stack = [root]
  for (let e = stack.pop(); e; e = stack.pop()) {
    if (seen.has(e)) continue
    seen.add(e)
    stack.push(...operands(e))
  }
  return seen
}
