// A text that is equal for equal kernels: what decides whether code is written once or twice.
import type { Expr, FusedKernel } from '@shoal/core'
import { operands } from '@shoal/core'

/** Everything about a kernel but its name. Shared sub-expressions are written once, so that the text is as short as the graph. */
export function kernelKey(kernel: FusedKernel): string {
  const { inputs, axes, reduced, reductions, stores } = kernel
  const lines: string[] = []
  const numbers = new Map<Expr, number>()
  const roots = [...reductions.map((r) => r.term), ...stores.flatMap((s) => [s.index, s.value])]
  const indices = roots.map((root) => number(root, numbers, lines))
  const types = [...inputs, ...stores].map(({ dtype, length }) => `${dtype} ${length}`)
  const combines = reductions.map(({ combine, dtype }) => `${combine} ${dtype}`)
  return [types, axes, reduced, combines, lines.join(';'), indices].join('|')
}

function number(root: Expr, numbers: Map<Expr, number>, lines: string[]): number {
  const known = new Map<string, number>()
  const stack = [root]
  while (stack.length > 0) {
    const e = stack.at(-1)!
    const pending = numbers.has(e) ? [] : operands(e).filter((x) => !numbers.has(x))
    if (pending.length > 0) stack.push(...pending)
    else {
      if (!numbers.has(e)) {
        const line = `${facts(e)} ${operands(e).map((x) => numbers.get(x))}`
        const same = known.get(line)
        numbers.set(e, same ?? lines.push(line) - 1)
        known.set(line, numbers.get(e)!)
      }
      stack.pop()
    }
  }
  return numbers.get(root)!
}

/** What an expression is, apart from its operands. */
function facts(e: Expr): string {
  if (e.op === 'const') return `const ${e.dtype} ${Object.is(e.value, -0) ? '-0' : e.value}`
  if (e.op === 'axis') return `axis ${e.axis}`
  if (e.op === 'acc') return `acc ${e.reduction} ${e.dtype}`
  if (e.op === 'load') return `load ${e.input} ${e.dtype}`
  return e.op === 'cast' ? `cast ${e.x.dtype} ${e.to}` : `${e.op} ${e.dtype}`
}
