// Finds the first place where a value stops being finite.
import { floats } from '../../dtype.ts'
import { NonFiniteError } from '../../errors.ts'
import type { Tensor } from '../../graph/graph.ts'
import { getElement } from '../../ndarray.ts'
import { attr, defineOp } from '../../op.ts'

const checkNumericsOp = defineOp({
  name: 'CheckNumerics',
  doc: 'x itself; fails the run when an element is NaN or infinite.',
  inputs: ['x'],
  dtypes: [floats],
  attrs: { message: attr.text('what the error says x is') },
  traits: { effect: 'external', debug: true },
  infer: ([x]) => [x],
  grad: ({ dy }): [Tensor] => [dy],
  body: {
    kind: 'runtime',
    role: 'host',
    run([x], { message }) {
      for (let i = 0; i < x!.size; i++) {
        const value = getElement(x!.dtype, x!.data, i) as number
        if (!Number.isFinite(value))
          throw new NonFiniteError(`${message} is not finite: element ${i} (row-major) is ${value}`)
      }
      return [x!]
    },
  },
})

/** The definition behind `checkNumerics`. */
export const checkNumericsDef = { def: checkNumericsOp.def }

/** x itself; a run that finds a NaN or an infinity in it fails with NonFiniteError. @param message what the error calls x; default its node and op. */
export const checkNumerics = (x: Tensor, message: string = `'${x.name}' (${x.node.op.name})`): Tensor =>
  checkNumericsOp(x, { message })
