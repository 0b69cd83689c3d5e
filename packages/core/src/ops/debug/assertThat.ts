// Facts that must hold while a graph runs.
import { dtypeNames } from '../../dtype.ts'
import type { Node } from '../../graph/graph.ts'
import { RunError } from '../../errors.ts'
import { attr, defineOp, makeNode } from '../../op.ts'
import { formatShape } from '../../shape.ts'
import type { TensorLike } from '../constant.ts'
import { toTensor } from '../constant.ts'

const assertOp = defineOp({
  name: 'Assert',
  doc: 'Fails the run with a message unless every element of the condition is true; shows the data given with it.',
  inputs: ['...conditionAndData'],
  dtypes: [['bool'], dtypeNames],
  attrs: { message: attr.text('what is wrong when the condition does not hold') },
  outputs: 'list',
  traits: { effect: 'external', debug: true },
  infer: () => [],
  body: {
    kind: 'runtime',
    role: 'host',
    run([condition, ...data], { message }) {
      if ((condition!.data as ArrayLike<number>).length > 0 && (condition!.data as Uint8Array).includes(0)) {
        const shown = data.map(
          (x) =>
            `${x.dtype}${formatShape(x.shape)} ${Array.from(x.data.slice(0, 16), String).join(', ')}${x.size > 16 ? ', …' : ''}`,
        )
        throw new RunError([message, ...shown].join('; '))
      }
      return []
    },
  },
})

/** The definition behind `assertThat`. */
export const assertDef = { def: assertOp.def }

/**
 * A node that fails the run unless every element of `condition` (bool) is true. Run it as a target, or build what relies on it
 * within `controlDependencies([assertThat(…)], …)`.
 * @param message what is wrong when it does not hold: the text of the RunError.
 * @param data values to show with the message.
 */
export const assertThat = (condition: TensorLike, message: string, data: readonly TensorLike[] = []): Node =>
  makeNode(assertOp.def, [toTensor(condition), ...data.map((x) => toTensor(x))], { message }, 'assert')
