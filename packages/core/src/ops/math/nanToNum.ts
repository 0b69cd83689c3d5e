// Numbers in place of what is none.
import { floats } from '../../dtype.ts'
import type { Tensor } from '../../graph/graph.ts'
import { E } from '../../ir/expr.ts'
import { attr, defineOp } from '../../op.ts'
import { isFinite } from './isFinite.ts'
import { select } from './select.ts'

/** x with NaN and the infinities replaced by numbers; the gradient passes where x is finite. */
export const nanToNum = defineOp({
  name: 'NanToNum',
  doc: 'x with NaN and the infinities replaced by numbers; the gradient passes where x is finite.',
  inputs: ['x'],
  dtypes: [floats],
  attrs: {
    nan: attr.float('in place of NaN', 0),
    posInf: attr.float('in place of Infinity; default the greatest float32', 3.4028234663852886e38),
    negInf: attr.float('in place of -Infinity; default the least float32', -3.4028234663852886e38),
  },
  infer: ([x]) => [x],
  grad: ({ dy, inputs: [x] }): [Tensor] => [select(isFinite(x), dy, 0)],
  body: {
    kind: 'scalar',
    expr([x], { nan, posInf, negInf }) {
      const num = (value: number) => E.num(value, x.dtype)
      const infinite = E.eq(E.abs(x), num(Number.POSITIVE_INFINITY))
      return E.select(
        E.ne(x, x),
        num(nan),
        E.select(infinite, E.select(E.lt(num(0), x), num(posInf), num(negInf)), x),
      )
    },
  },
})
