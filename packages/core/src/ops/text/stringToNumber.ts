// Between strings and the numbers that they spell.
import { AttrError, RunError } from '../../errors.ts'
import { fixedSize } from '../../dtype.ts'
import { attr } from '../../op.ts'
import { stringOp } from './stringOp.ts'

const decimal = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/
const special: Readonly<Record<string, number>> = {
  nan: NaN,
  inf: Infinity,
  '+inf': Infinity,
  '-inf': -Infinity,
}
const whole = /^[+-]?\d+$/

/** The number that each string spells in decimal, white space around it allowed. A run throws RunError for any other string, and for integers out of range. */
export const stringToNumber = stringOp({
  name: 'StringToNumber',
  doc: 'The number that each string spells in decimal.',
  attrs: { dtype: attr.oneOf('the dtype of the result', ['float32', 'float64', 'int32', 'int64']) },
  result: ({ dtype }) => dtype,
  each: ({ dtype }) => {
    const fail = (text: string): never => {
      throw new RunError(`${JSON.stringify(text.slice(0, 64))} is not a number of dtype ${dtype}`)
    }
    const bits = dtype === 'int32' ? 31n : 63n
    return (value) => {
      const text = (value as string).trim()
      if (dtype === 'int32' || dtype === 'int64') {
        if (!whole.test(text)) return fail(text)
        const number = BigInt(text.replace('+', ''))
        return number >= -(2n ** bits) && number < 2n ** bits ? number : fail(text)
      }
      const known = special[text.toLowerCase()]
      return known ?? (decimal.test(text) ? Number(text) : fail(text))
    }
  },
})

/** Each element as a string: integers and booleans as they are, floats in the shortest form that reads back as the same float64, or with `precision` decimals. */
export const asString = stringOp({
  name: 'AsString',
  doc: 'Each element as a string.',
  dtypes: fixedSize,
  attrs: { precision: attr.int('decimals of floats; as many as needed when left out', undefined) },
  result: 'string',
  check: ({ precision }) => {
    if (precision !== undefined && (precision < 0 || precision > 100))
      throw new AttrError(`precision ${precision} must be 0 to 100`)
  },
  each:
    ({ precision }) =>
    (value) =>
      typeof value === 'number' && precision !== undefined ? value.toFixed(precision) : String(value),
})
