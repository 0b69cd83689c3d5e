// The classes of one step: their softmax goes into the gradient, and in the end the shares that the labels have are taken off it.
import type { Writer } from '../../lower/scalar.ts'
import { f64, type Func, type ModuleBuilder, type Value } from '../../wasm/index.ts'
import { alongElements, elementAt, reduceElements } from '../elements.ts'
import type { KernelOptions } from '../kernelDef.ts'
import type { Layout } from './layout.ts'
import { log } from './logarithm.ts'

/** Writes e^(logit - greatest) of every class into the gradient, and the norms: addresses of logits, gradient and norms of the step. */
export function writeNormalise(
  module: ModuleBuilder,
  { dtype, classes: size }: Layout,
  { relaxed }: KernelOptions,
): Func<readonly ['i32', 'i32', 'i32'], 'none'> {
  return module.define('ctc_normalise', ['i32', 'i32', 'i32'], 'none', (f, logits, gradient, norms) => {
    const writer: Writer = { module, f, relaxed }
    const top = reduceElements(writer, { size, dtype, nothing: -Infinity, join: 'max' }, ({ load }, i) =>
      load(dtype, elementAt(writer, dtype, logits, i)),
    )
    const sum = reduceElements(
      writer,
      { size, dtype: 'float64', nothing: 0, join: 'add' },
      ({ load, store, splat, arithmetic: { unary, binary, cast } }, i) => {
        const x = load(dtype, elementAt(writer, dtype, logits, i))
        const part = unary.exp(binary.sub(x, splat(top, dtype), dtype), dtype)
        store(dtype, elementAt(writer, dtype, gradient, i), part)
        return dtype === 'float64' ? part : cast(part, dtype, 'float64')
      },
    ) as Value<'f64'>
    const greatest = dtype === 'float64' ? (top as Value<'f64'>) : f64.promote_f32(top as Value<'f32'>)
    f.do(f64.store(norms, f64.add(greatest, log(module, sum))), f64.store(norms, sum, 8))
  })
}

/** Makes the gradient of what `writeNormalise` left there, and the shares 0 again: addresses of gradient, norms and shares. */
export function writeGradient(
  module: ModuleBuilder,
  { dtype, classes }: Layout,
  { relaxed }: KernelOptions,
): Func<readonly ['i32', 'i32', 'i32'], 'none'> {
  return module.define('ctc_gradient', ['i32', 'i32', 'i32'], 'none', (f, gradient, norms, shares) => {
    const writer: Writer = { module, f, relaxed }
    const sum = f.let(f64.load(norms, 8))
    alongElements(
      writer,
      classes,
      ({ load, store, splat, arithmetic: { binary, cast, const: number } }, i) => {
        const place = elementAt(writer, dtype, gradient, i)
        const share = elementAt(writer, 'float64', shares, i)
        const part = load(dtype, place)
        const wide = dtype === 'float64' ? part : cast(part, dtype, 'float64')
        const probability = binary.div(wide, splat(sum, 'float64'), 'float64')
        const result = binary.sub(probability, load('float64', share), 'float64')
        store(dtype, place, dtype === 'float64' ? result : cast(result, 'float64', dtype))
        store('float64', share, number(0, 'float64'))
      },
    )
  })
}
