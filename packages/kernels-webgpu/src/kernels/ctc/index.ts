// CtcLoss: the norms of all steps, then the scores of all states forwards and backwards, a workgroup for each sequence and direction, then the gradient of every step.
import type { Stage } from '../../stage.ts'
import type { KernelDef } from '../kernelDef.ts'
import { together } from '../together.ts'
import { mathFunctions } from '../../wgsl/math/index.ts'
import { gradientStage } from './gradient.ts'
import { lanesFor } from './lanes.ts'
import { exponential, inputUses, type Layout, layoutOf, scratchUse } from './layout.ts'
import { scoresStage } from './scores.ts'

/** Labels of a sequence at most: two rows of scores have to lie in workgroup memory. */
const mostPlaces = 700

/** The loss of every sequence and its gradient. */
export const ctcLoss: KernelDef = {
  op: 'CtcLoss',
  supports: ({ inputs }) => inputs[1]!.shape[1]! <= mostPlaces,
  compile(signature, _, places) {
    const layout = layoutOf(signature, places)
    return {
      stages: [normStage(layout), scoresStage(layout), gradientStage(layout)],
      workspaceBytes: 4 * layout.words,
    }
  },
}

/** The logarithm of the sum of the exponentials of every step's logits. */
function normStage(layout: Layout): Stage {
  const { time, batch, classes, norms } = layout
  const lanes = lanesFor(classes / 4)
  return {
    buffers: [inputUses(layout)[0]!, scratchUse(layout, 'write')],
    groups: time * batch,
    lanes,
    write: (shader) => {
      const logit = (c: string): string => shader.let(shader.memory(0).load(`group * ${classes} + ${c}`))
      const greatest = shader.variable('f32', logit(`min(lane, ${classes - 1})`))
      shader.loop('lane', `${classes}`, `${lanes}`, (c) =>
        shader.line(`${greatest} = max(${greatest}, ${logit(c)});`),
      )
      const top = together(shader, 'f32', lanes, greatest, (a, b) => `max(${a}, ${b})`)
      const sum = shader.variable('f32', '0.0')
      shader.loop('lane', `${classes}`, `${lanes}`, (c) =>
        shader.line(`${sum} += ${exponential(shader, `${logit(c)} - ${top}`)};`),
      )
      const all = together(shader, 'f32', lanes, sum, (a, b) => `${a} + ${b}`)
      shader.block('if (lane == 0)', () =>
        shader.memory(1).store(`${norms} + group`, `${top} + ${shader.include(mathFunctions.log)}(${all})`),
      )
    },
  }
}
