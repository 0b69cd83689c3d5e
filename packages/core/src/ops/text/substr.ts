// Lengths and parts of strings, counted in bytes or in characters.
import { AttrError, RunError } from '../../errors.ts'
import { attr } from '../../op.ts'
import { stringOp } from './stringOp.ts'

const unit = attr.oneOf('what is counted: UTF-8 bytes, or Unicode code points', ['byte', 'character'])
const encoder = new TextEncoder()
const decoder = new TextDecoder()

/** The length of each string, int32; in UTF-8 bytes unless `unit` is 'character'. */
export const stringLength = stringOp({
  name: 'StringLength',
  doc: 'The length of each string in UTF-8 bytes or in characters, int32.',
  attrs: { unit },
  result: 'int32',
  each:
    ({ unit: by }) =>
    (text) =>
      by === 'byte' ? encoder.encode(text as string).length : Array.from(text as string).length,
})

/**
 * `length` bytes (or characters) of each string from `position`, or as many as there are; a negative position counts from the end.
 * A run throws RunError when a string ends before `position`. Bytes that are no whole character become U+FFFD.
 */
export const substr = stringOp({
  name: 'Substr',
  doc: 'Part of each string, from a position and of a length, in UTF-8 bytes or in characters.',
  attrs: {
    position: attr.int('where it begins; negative: counted from the end'),
    length: attr.int('how long it is at most'),
    unit,
  },
  result: 'string',
  check: ({ length }) => {
    if (length < 0) throw new AttrError(`length ${length} must not be negative`)
  },
  each:
    ({ position, length, unit: by }) =>
    (text) => {
      const parts = by === 'byte' ? encoder.encode(text as string) : Array.from(text as string)
      const begin = position < 0 ? position + parts.length : position
      if (begin < 0 || begin > parts.length)
        throw new RunError(`position ${position} is outside of a string of ${parts.length} ${by}s`)
      const part = parts.slice(begin, begin + length)
      return Array.isArray(part) ? part.join('') : decoder.decode(part as Uint8Array)
    },
})
