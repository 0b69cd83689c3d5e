// Letters, and the space around them.
import { stringOp } from './stringOp.ts'

/** Each string in lower case, by Unicode's rules that depend on no language. */
export const stringLower = stringOp({
  name: 'StringLower',
  doc: 'Each string in lower case, by Unicode.',
  attrs: {},
  result: 'string',
  each: () => (text) => (text as string).toLowerCase(),
})

/** Each string in upper case, by Unicode's rules that depend on no language. */
export const stringUpper = stringOp({
  name: 'StringUpper',
  doc: 'Each string in upper case, by Unicode.',
  attrs: {},
  result: 'string',
  each: () => (text) => (text as string).toUpperCase(),
})

/** Each string without white space at its ends. */
export const stringStrip = stringOp({
  name: 'StringStrip',
  doc: 'Each string without white space at its ends.',
  attrs: {},
  result: 'string',
  each: () => (text) => (text as string).trim(),
})
