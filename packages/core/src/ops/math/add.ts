// Addition.
import { E } from '../../ir/expr.ts'
import { binary } from '../elementwise.ts'

/** a + b, element by element, with broadcasting. */
export const add = binary({
  name: 'Add',
  doc: 'a + b, element by element, with broadcasting.',
  traits: { commutative: true, associative: true },
  expr: E.add,
  grad: ({ dy }) => [dy, dy],
})
