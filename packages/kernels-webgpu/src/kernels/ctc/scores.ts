// How likely every state of a sequence is to be reached, and to lead to the end: step by step in logarithms, a lane for each state.
// Graves et al., Connectionist Temporal Classification, 2006, section 4.1.
import type { Stage } from '../../stage.ts'
import type { Shader } from '../../wgsl/shader.ts'
import { floatLiteral } from '../../wgsl/literal.ts'
import { together } from '../together.ts'
import { lanesFor } from './lanes.ts'
import {
  either,
  hopeless,
  impossible,
  inputUses,
  type Layout,
  outcome,
  scratchUse,
  type Sequence,
  sequenceOf,
} from './layout.ts'

/** After so many steps scores are taken relative to the greatest, so that they stay small and exact: every step would cost more barriers. */
const stepsBetween = 4

/** Even workgroups go forwards, and find the losses; odd ones go backwards. */
export function scoresStage(layout: Layout): Stage {
  const lanes = lanesFor(layout.states)
  const { batch, losses, dtype } = layout
  return {
    buffers: [
      ...inputUses(layout),
      { arg: losses, dtype, length: batch, access: 'write' },
      scratchUse(layout, 'write'),
    ],
    groups: 2 * batch,
    lanes,
    write: (shader) => {
      const n = shader.let('group / 2')
      const recursion = new Recursion(shader, layout, lanes, n, sequenceOf(shader, layout, n))
      shader.block('if (group % 2 == 0)', () => recursion.forward())
      shader.block('else', () => recursion.backward())
    },
  }
}

class Recursion {
  private readonly shader: Shader
  private readonly layout: Layout
  private readonly lanes: number
  private readonly n: string
  private readonly sequence: Sequence
  private readonly states: string
  /** The scores of the step before and of this one, in turn. */
  private readonly rows: string

  constructor(shader: Shader, layout: Layout, lanes: number, n: string, sequence: Sequence) {
    this.shader = shader
    this.layout = layout
    this.lanes = lanes
    this.n = n
    this.sequence = sequence
    this.states = shader.let(`2 * ${sequence.labels} + 1`)
    this.rows = shader.shared(`array<f32, ${2 * layout.states}>`)
  }

  /** Keeps the score of being in each state after each step; finds the loss. */
  forward(): void {
    const { shader, sequence, layout, n } = this
    const scale = this.run(1, (state) => `${state} < 2`)
    const end = this.rowAt(sequence.steps)
    const wrong = this.hasWrongLabel()
    shader.block('if (lane == 0)', () => {
      const before = shader.let(
        `select(${impossible}, ${this.rows}[${end} + max(${this.states} - 2, 0)], ${this.states} > 1)`,
      )
      const reached = `${shader.include(either)}(${this.rows}[${end} + ${this.states} - 1], ${before}, ${impossible})`
      // No step reads exactly no label.
      const empty = `select(${impossible}, 0.0, ${this.states} == 1)`
      const score = shader.variable('f32', empty)
      shader.block(`if (${sequence.steps} > 0)`, () => shader.line(`${score} = ${reached};`))
      const [losses, scratch] = [shader.memory(4), shader.memory(5)]
      const place = `${layout.outcomes} + ${n}`
      shader.block(`if (${wrong} && ${sequence.steps} > 0)`, () => {
        losses.store(n, floatLiteral(shader, Number.NaN))
        scratch.store(place, outcome.wrong)
      })
      shader.block(`else if (${score} < ${hopeless})`, () => {
        losses.store(n, floatLiteral(shader, Infinity))
        scratch.store(place, outcome.impossible)
      })
      shader.block('else', () => {
        losses.store(n, `-(${score} + ${scale})`)
        scratch.store(place, outcome.possible)
      })
    })
  }

  /** Keeps the score of getting from each state to the end after each step. */
  backward(): void {
    this.run(-1, (state) => `${state} >= ${this.states} - 2`)
  }

  /**
   * Goes through all steps in one direction. The scores of the last one are left in `rows`, relative to the sum that is answered.
   * @param isFirst the condition under which a state may be the first in this direction.
   */
  private run(direction: 1 | -1, isFirst: (state: string) => string): string {
    const { shader, layout, lanes, n, rows, states, sequence } = this
    const { time, batch, norms } = layout
    const scratch = shader.memory(5)
    const scale = shader.variable('f32', '0.0')
    shader.loop('0', sequence.steps, '1', (k) => {
      const t = direction === 1 ? k : shader.let(`${sequence.steps} - 1 - ${k}`)
      const norm = shader.let(scratch.load(`${norms} + ${t} * ${batch} + ${n}`))
      const [old, now] = [shader.let(this.rowAt(k)), shader.let(this.rowAt(`${k} + 1`))]
      shader.loop('lane', states, `${lanes}`, (s) => {
        const lead = shader.variable('f32', `select(${impossible}, 0.0, ${isFirst(s)})`)
        shader.block(`if (${k} > 0)`, () => {
          const [near, far] = [shader.let(`${s} - ${direction}`), shader.let(`${s} - ${2 * direction}`)]
          const one = shader.variable('f32', impossible)
          shader.block(`if (${near} >= 0 && ${near} < ${states})`, () =>
            shader.line(`${one} = ${rows}[${old} + ${near}];`),
          )
          const two = shader.variable('f32', impossible)
          shader.block(`if (${this.mayJump(s, far)})`, () =>
            shader.line(`${two} = ${rows}[${old} + ${far}];`),
          )
          shader.line(`${lead} = ${shader.include(either)}(${rows}[${old} + ${s}], ${one}, ${two});`)
        })
        const score = shader.let(`${lead} + ${this.scoreOf(t, s)} - ${norm}`)
        shader.line(`${rows}[${now} + ${s}] = ${score};`)
        const kept = direction === 1 ? layout.forward : layout.backward
        const place = `${kept} + (${n} * ${time} + ${t}) * ${layout.states} + ${s}`
        scratch.store(place, direction === 1 ? score : lead)
      })
      shader.barrier()
      shader.block(`if (${k} % ${stepsBetween} == ${stepsBetween - 1})`, () => this.rescale(now, scale))
    })
    return scale
  }

  /** Makes the scores of a row relative to the greatest, which goes to `scale`. */
  private rescale(row: string, scale: string): void {
    const { shader, lanes, rows, states } = this
    const greatest = shader.variable('f32', impossible)
    const each = (body: (place: string) => void): void =>
      shader.loop('lane', states, `${lanes}`, (s) => body(`${rows}[${row} + ${s}]`))
    each((place) => shader.line(`${greatest} = max(${greatest}, ${place});`))
    const top = together(shader, 'f32', lanes, greatest, (a, b) => `max(${a}, ${b})`)
    shader.block(`if (${top} > ${hopeless})`, () => {
      each((place) => shader.line(`${place} -= ${top};`))
      shader.line(`${scale} += ${top};`)
    })
    shader.barrier()
  }

  /** Where the row begins that step `k - 1` leaves. */
  private rowAt(k: string): string {
    return `((${k}) & 1) * ${this.layout.states}`
  }

  /** The score of a state's class in a step. */
  private scoreOf(t: string, state: string): string {
    const { shader, layout, n, sequence } = this
    const { batch, classes, blank } = layout
    const label = shader.variable('i32', `${blank}`)
    shader.block(`if ((${state} & 1) == 1)`, () =>
      shader.line(`${label} = clamp(${sequence.label(`${state} / 2`)}, 0, ${classes - 1});`),
    )
    return `max(${shader.memory(0).load(`(${t} * ${batch} + ${n}) * ${classes} + ${label}`)}, ${impossible})`
  }

  /** May a blank be left out between two states? It is not where both are the same label, or where one is no label but a blank. */
  private mayJump(one: string, other: string): string {
    const { shader, layout, states, sequence } = this
    const may = shader.variable('bool', 'false')
    shader.block(`if ((${one} & 1) == 1 && ${other} >= 0 && ${other} < ${states})`, () => {
      const [a, b] = [one, other].map((state) => shader.let(sequence.label(`${state} / 2`))) as [
        string,
        string,
      ]
      const later = shader.let(`select(${b}, ${a}, ${one} > ${other})`)
      shader.line(`${may} = ${a} != ${b} && ${later} != ${layout.blank};`)
    })
    return may
  }

  /** Is a label no class? */
  private hasWrongLabel(): string {
    const { shader, lanes, layout, sequence } = this
    const wrong = shader.variable('u32', '0u')
    shader.loop('lane', sequence.labels, `${lanes}`, (place) => {
      const label = shader.let(sequence.label(place))
      shader.line(`if (${label} < 0 || ${label} >= ${layout.classes}) { ${wrong} = 1u; }`)
    })
    return `(${together(shader, 'u32', lanes, wrong, (a, b) => `${a} | ${b}`)} != 0u)`
  }
}
