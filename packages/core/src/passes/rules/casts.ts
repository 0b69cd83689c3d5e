// Conversions that undo or imply each other.
import type { DType } from '../../dtype.ts'
import { bitcast } from '../../ops/array/bitcast.ts'
import { cast } from '../../ops/math/cast.ts'
import type { Rule } from './rule.ts'

/** Which dtypes hold every value of a dtype exactly. */
const holds: Readonly<Record<DType, readonly DType[]>> = {
  bool: ['uint8', 'int8', 'int16', 'int32', 'int64', 'uint32', 'float16', 'bfloat16', 'float32', 'float64'],
  uint8: ['int16', 'int32', 'int64', 'uint32', 'float16', 'bfloat16', 'float32', 'float64'],
  int8: ['int16', 'int32', 'int64', 'float16', 'bfloat16', 'float32', 'float64'],
  int16: ['int32', 'int64', 'float32', 'float64'],
  int32: ['int64', 'float64'],
  uint32: ['int64', 'float64'],
  int64: [],
  float16: ['float32', 'float64'],
  bfloat16: ['float32', 'float64'],
  float32: ['float64'],
  float64: [],
  string: [],
}

/** Casts and bitcasts. */
export const castRules: readonly Rule[] = [
  {
    ops: [cast, bitcast],
    why: 'it has this dtype already',
    apply: (site) => (site.inputs[0]!.dtype === site.output.dtype ? site.inputs[0] : undefined),
  },
  {
    ops: [bitcast],
    why: 'the bits stay the same',
    apply: (site) => {
      const inner = site.look(site.inputs[0]!, bitcast)
      return inner && bitcast(inner.inputs[0]!, { to: site.output.dtype })
    },
  },
  {
    ops: [cast],
    why: 'the dtype in between holds every value',
    apply: (site) => {
      const inner = site.look(site.inputs[0]!, cast)
      const x = inner?.inputs[0]
      // Integers wrap, floats saturate: from a float dtype on the way an integer would be converted by the other rule.
      if (
        !x ||
        !holds[x.dtype].includes(inner.outputs[0]!.dtype) ||
        changesKind(x.dtype, inner.outputs[0]!.dtype, site.output.dtype)
      )
        return undefined
      return cast(x, { to: site.output.dtype })
    },
  },
]

const isFloat = (dtype: DType): boolean => dtype.includes('float')
const changesKind = (from: DType, between: DType, to: DType): boolean =>
  isFloat(from) !== isFloat(between) && !isFloat(to) && to !== from && !holds[from].includes(to)
