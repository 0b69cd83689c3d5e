// CtcLoss: a sequence is a unit; its loss and gradient are found in memory of its own.
import type { ConcreteType } from '@shoal/core'
import { dtypes } from '@shoal/core'
import type { Code } from '../../lower/representation.ts'
import type { Stage } from '../../stage.ts'
import { call, f32, f64, i32, i64, type Local, memory, type ModuleBuilder, select } from '../../wasm/index.ts'
import { type KernelDef, type KernelOptions, signatureKey } from '../kernelDef.ts'
import { writeBackward, writeForward, writePath } from './alignment.ts'
import { type Layout, layoutOf, normBytes } from './layout.ts'
import { logSumExp } from './logarithm.ts'
import { writeGradient, writeNormalise } from './softmax.ts'

type Address = Local<'i32'>

/** The loss of every sequence and its gradient, in float64 but for the softmax of float32 logits. */
export const ctcLoss: KernelDef = {
  op: 'CtcLoss',
  supports: ({ inputs }) => inputs[0]!.dtype === 'float32' || inputs[0]!.dtype === 'float64',
  compile(signature, options) {
    const layout = layoutOf(signature)
    return {
      workspaceBytes: layout.batch * layout.bytes,
      write: (module) =>
        module.once(signatureKey('CtcLoss', signature, options), () => [writeCtc(module, layout, options)]),
    }
  },
}

function writeCtc(module: ModuleBuilder, layout: Layout, options: KernelOptions): Stage {
  const { dtype, time, batch, classes, places, labels, stepBytes } = layout
  const element = dtypes[dtype].bytes
  const path = writePath(module, layout)
  const normalise = writeNormalise(module, layout, options)
  const forward = writeForward(module, layout)
  const backward = writeBackward(module, layout)
  const finish = writeGradient(module, layout, options)
  const types = Array.from({ length: 9 }, () => 'i32' as const)
  const func = module.define('ctc', types, 'none', (f, ...parameters) => {
    const [logits, labelsAt, labelLengths, inputLengths, losses, gradients, workspace, begin, end] =
      parameters as unknown as readonly [
        Address,
        Address,
        Address,
        Address,
        Address,
        Address,
        Address,
        Address,
        Address,
      ]
    f.forRange(begin, end, 1, (n) => {
      const work = f.let(i32.add(workspace, i32.mul(n, layout.bytes)))
      const part = (offset: number) => f.let(i32.add(work, offset))
      const [pathAt, norms, forwardAt] = [part(layout.path), part(layout.norms), part(layout.forward)]
      const [backwardAt, shares] = [part(layout.backward), part(layout.shares)]
      const steps = lengthAt(f, layout.inputLengths, inputLengths, n, time)
      const states = f.let(i32.add(i32.mul(lengthAt(f, layout.labelLengths, labelLengths, n, places), 2), 1))
      const row = i32.mul(n, classes * element)
      const [x, dx] = [f.let(i32.add(logits, row)), f.let(i32.add(gradients, row))]
      const along = (base: Address, t: Address, bytes: number) => f.let(i32.add(base, i32.mul(t, bytes)))
      const clear = (t: Address) => f.do(memory.fill(along(dx, t, stepBytes), 0, classes * element))

      f.do(call(path, i32.add(labelsAt, i32.mul(n, places * dtypes[labels.dtype].bytes)), pathAt, states))
      f.forRange(0, steps, 1, (t) => {
        const [logit, norm] = [along(x, t, stepBytes), along(norms, t, normBytes)]
        const scores = along(forwardAt, t, layout.forwardBytes)
        f.do(call(normalise, logit, along(dx, t, stepBytes), norm))
        f.do(call(forward, pathAt, logit, norm, scores, states, i32.eqz(t)))
      })
      const total = scoreOfAll(module, f, layout, forwardAt, steps, states)
      const loss = i32.add(losses, i32.mul(n, element))
      f.do(
        dtype === 'float64'
          ? f64.store(loss, f64.neg(total))
          : f32.store(loss, f32.neg(f32.demote_f64(total))),
      )

      f.forRange(steps, time, 1, clear)
      f.if(
        f64.eq(total, -Infinity),
        () => f.forRange(0, steps, 1, clear),
        () => {
          f.do(memory.fill(shares, 0, 8 * classes))
          const beyond = f.let(i32.add(backwardAt, i32.mul(states, 8)))
          f.do(f64.store(beyond, -Infinity), f64.store(beyond, -Infinity, 8))
          f.forRange(0, steps, 1, (done) => {
            const t = f.let(i32.sub(i32.sub(steps, 1), done))
            const [logit, norm] = [along(x, t, stepBytes), along(norms, t, normBytes)]
            const scores = along(forwardAt, t, layout.forwardBytes)
            f.do(
              call(backward, pathAt, logit, norm, backwardAt, states, scores, shares, i32.eqz(done), total),
            )
            f.do(call(finish, along(dx, t, stepBytes), norm, shares))
          })
        },
      )
    })
  })
  // Logarithms and exponentials are worth some ten elements each.
  return { func, units: batch, work: time * (4 * classes + 80 * (2 * places + 1)) }
}

/** Element `n` of lengths, at least 0 and at most `most`. */
function lengthAt(f: Code, { dtype }: ConcreteType, lengths: Address, n: Address, most: number): Address {
  if (dtype === 'int64') {
    const given = f.let(i64.load(i32.add(lengths, i32.mul(n, 8))))
    f.set(given, select(i64.lt_s(given, 0n), i64.const(0n), given))
    return f.let(i32.wrap_i64(select(i64.lt_s(given, BigInt(most)), given, i64.const(BigInt(most)))))
  }
  const given = f.let(i32.load(i32.add(lengths, i32.mul(n, 4))))
  f.set(given, select(i32.lt_s(given, 0), i32.const(0), given))
  return f.let(select(i32.lt_s(given, most), given, i32.const(most)))
}

/** The logarithm of the probability of all paths: of those that end in the last label or the blank after it. Without steps only nothing can be read. */
function scoreOfAll(
  module: ModuleBuilder,
  f: Code,
  { forwardBytes }: Layout,
  forward: Address,
  steps: Address,
  states: Address,
) {
  const total = f.let(select(i32.eq(states, 1), f64.const(0), f64.const(-Infinity)))
  f.if(steps, () => {
    const row = i32.add(forward, i32.mul(i32.sub(steps, 1), forwardBytes))
    const last = f.let(i32.add(row, i32.mul(states, 8)))
    f.set(total, logSumExp(module, f, [f64.load(last, 8), f64.load(last)]))
  })
  return total
}
