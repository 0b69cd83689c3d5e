// Shows values while a graph runs.
import { attr, defineOp } from '../../op.ts'
import type { Tensor } from '../../graph/graph.ts'
import { NDArray } from '../../ndarray.ts'
import { formatType, sizeOf } from '../../shape.ts'

/**
 * x itself; each run that needs it writes one line to the session's log: `message: float32[2, 3] [[1, 2, 3], [4, 5, 6]]`.
 * @param attrs.first how many elements to show, default 64; -1 shows all.
 */
export const print = defineOp({
  name: 'Print',
  doc: 'x itself; each run writes a message, its type and its first elements as one line to the log.',
  inputs: ['x'],
  attrs: {
    message: attr.text('what to say before the value', ''),
    first: attr.int('how many elements to show; -1: all', 64),
  },
  traits: { effect: 'external', debug: true },
  infer: ([x]) => [x],
  grad: ({ dy }): [Tensor] => [dy],
  body: {
    kind: 'runtime',
    role: 'host',
    run([x], { message, first }, context) {
      context.log(`${message === '' ? '' : `${message}: `}${formatType(x!)} ${show(x!, first)}`)
      return [x!]
    },
  },
})

function show(x: NDArray, first: number): string {
  if (first < 0 || x.size <= first) return text(x.toArray())
  const shown = new NDArray(x.dtype, [first], x.data.slice(0, first) as typeof x.data)
  return `${text(shown.toArray())} and ${sizeOf(x.shape) - first} more`
}

const text = (value: unknown): string =>
  Array.isArray(value)
    ? `[${value.map(text).join(', ')}]`
    : typeof value === 'string'
      ? JSON.stringify(value)
      : String(value)
