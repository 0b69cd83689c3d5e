// The gradient of a step: softmax, less the share that each class has in all readings of the labels.
// Graves et al., Connectionist Temporal Classification, 2006, section 4.2.
import type { Stage } from '../../stage.ts'
import type { Shader } from '../../wgsl/shader.ts'
import { floatLiteral } from '../../wgsl/literal.ts'
import { together } from '../together.ts'
import { lanesFor } from './lanes.ts'
import {
  exponential,
  hopeless,
  impossible,
  inputUses,
  type Layout,
  outcome,
  scratchUse,
  type Sequence,
  sequenceOf,
} from './layout.ts'

/** A workgroup for every step of every sequence. */
export function gradientStage(layout: Layout): Stage {
  const { time, batch, classes, states, gradients, dtype, outcomes } = layout
  const lanes = lanesFor(Math.max(states, classes / 4))
  return {
    buffers: [
      ...inputUses(layout),
      { arg: gradients, dtype, length: time * batch * classes, access: 'write' },
      scratchUse(layout, 'read'),
    ],
    groups: time * batch,
    lanes,
    write: (shader) => {
      const [t, n] = [shader.let(`group / ${batch}`), shader.let(`group % ${batch}`)]
      const sequence = sequenceOf(shader, layout, n)
      const shares = sharesOf(shader, layout, lanes, [t, n], sequence)
      const [scratch, slopes] = [shader.memory(5), shader.memory(4)]
      const found = shader.let(scratch.load(`${outcomes} + ${n}`))
      const none = shader.let(`${t} >= ${sequence.steps} || ${found} == ${outcome.impossible}`)
      const wrong = shader.let(`${found} == ${outcome.wrong}`)
      const norm = shader.let(scratch.load(`${layout.norms} + group`))
      const slope = (c: string, share: string): string => {
        const softmax = exponential(shader, `${shader.memory(0).load(`group * ${classes} + ${c}`)} - ${norm}`)
        const own = shader.let(`select(${softmax} - ${share}, 0.0, ${none})`)
        return `select(${own}, ${floatLiteral(shader, Number.NaN)}, ${wrong} && !${none})`
      }
      shader.loop('lane', `${classes}`, `${lanes}`, (c) => {
        const share = shader.let(`select(0.0, ${shares.blank}, ${c} == ${layout.blank})`)
        slopes.store(`group * ${classes} + ${c}`, shader.let(slope(c, share)))
      })
      // Labels come after, so that what they store stays.
      shader.line('storageBarrier();')
      shader.loop('lane', sequence.labels, `${lanes}`, (place) => {
        const c = shader.let(sequence.label(place))
        const share = shader.variable('f32', '0.0')
        const first = shader.variable('bool', `${c} >= 0 && ${c} < ${classes} && ${c} != ${layout.blank}`)
        shader.loop('0', sequence.labels, '1', (other) =>
          shader.block(`if (${sequence.label(other)} == ${c})`, () => {
            shader.line(`${first} = ${first} && ${other} >= ${place};`)
            shader.line(`${share} += ${shares.of}[2 * ${other} + 1];`)
          }),
        )
        shader.block(`if (${first})`, () =>
          slopes.store(`group * ${classes} + ${c}`, shader.let(slope(c, `${share} * ${shares.unit}`))),
        )
      })
    },
  }
}

/** The shares of all states in workgroup memory, in units of `unit`, and what those of blanks come to. */
function sharesOf(
  shader: Shader,
  layout: Layout,
  lanes: number,
  [t, n]: readonly [string, string],
  { labels, label }: Sequence,
): { readonly of: string; readonly unit: string; readonly blank: string } {
  const { time, states } = layout
  const scratch = shader.memory(5)
  const of = shader.shared(`array<f32, ${states}>`)
  const count = shader.let(`2 * ${labels} + 1`)
  const first = shader.let(`(${n} * ${time} + ${t}) * ${states}`)
  const greatest = shader.variable('f32', impossible)
  shader.loop('lane', count, `${lanes}`, (s) => {
    const through = [layout.forward, layout.backward].map((from) => scratch.load(`${from} + ${first} + ${s}`))
    const score = shader.let(through.join(' + '))
    shader.line(`${of}[${s}] = ${score};`)
    shader.line(`${greatest} = max(${greatest}, ${score});`)
  })
  const top = together(shader, 'f32', lanes, greatest, (a, b) => `max(${a}, ${b})`)
  const [all, blanks] = [shader.variable('f32', '0.0'), shader.variable('f32', '0.0')]
  shader.loop('lane', count, `${lanes}`, (s) => {
    const score = shader.let(`${of}[${s}]`)
    const share = shader.let(
      `select(0.0, ${exponential(shader, `${score} - ${top}`)}, ${score} > ${hopeless})`,
    )
    shader.line(`${of}[${s}] = ${share};`)
    shader.line(`${all} += ${share};`)
    const isBlank = `(${s} & 1) == 0 || ${label(`${s} / 2`)} == ${layout.blank}`
    shader.line(`${blanks} += select(0.0, ${share}, ${isBlank});`)
  })
  const sum = (own: string): string => together(shader, 'f32', lanes, own, (a, b) => `${a} + ${b}`)
  const unit = shader.let(`1.0 / max(${sum(all)}, 1e-30)`)
  return { of, unit, blank: shader.let(`${sum(blanks)} * ${unit}`) }
}
