// Sums of numbers that are given by their logarithms, in float64.
import type { mathImports } from '../../math/index.ts'
import type { Code } from '../../lower/representation.ts'
import { call, f64, type Local, type ModuleBuilder, type Value } from '../../wasm/index.ts'

type Number = Value<'f64'>

/** e^x, by the host's function. */
export const exp = (module: ModuleBuilder, x: Number): Number => callMath(module, 'exp', x)

/** The natural logarithm, by the host's function. */
export const log = (module: ModuleBuilder, x: Number): Number => callMath(module, 'log', x)

const callMath = (module: ModuleBuilder, name: keyof typeof mathImports, x: Number): Number =>
  call(module.importFunction('math', name, ['f64'], 'f64'), x)

/** log Σ e^x without overflow, computed here; -Infinity where every term is that. */
export function logSumExp(module: ModuleBuilder, f: Code, terms: readonly Number[]): Local<'f64'> {
  const values = terms.map((term) => f.let(term))
  const top = f.let(values.reduce<Number>((most, x) => f64.max(most, x), f64.const(-Infinity)))
  f.if(f64.ne(top, -Infinity), () => {
    const sum = f.let(f64.const(0))
    const add = (part: Number) => f.set(sum, f64.add(sum, part))
    // Most terms are the greatest or nothing: both need no exponential.
    for (const x of values)
      f.if(
        f64.eq(x, top),
        () => add(f64.const(1)),
        () => f.if(f64.gt(x, -Infinity), () => add(exp(module, f64.sub(x, top)))),
      )
    f.set(top, f64.add(top, log(module, sum)))
  })
  return top
}
