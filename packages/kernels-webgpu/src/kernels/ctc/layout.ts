// Where the memory of CtcLoss is, and what its stages ask of a sequence.
import type { ConcreteType, DType, Signature } from '@shoal/core'
import type { BufferUse } from '../../stage.ts'
import type { Shader, WgslFunction } from '../../wgsl/shader.ts'
import { mathFunctions } from '../../wgsl/math/index.ts'
import type { Places } from '../kernelDef.ts'

/** Sizes, and where scratch memory has what: words from its beginning. */
export interface Layout {
  readonly dtype: DType
  readonly time: number
  readonly batch: number
  readonly classes: number
  /** Labels of a sequence at most. */
  readonly places: number
  /** The labels with blanks between them and around. */
  readonly states: number
  readonly blank: number
  /** The logarithm of the sum of a step's exponentials: [time, batch]. */
  readonly norms: number
  /** What forward and backward scores are: [batch, time, states]. */
  readonly forward: number
  readonly backward: number
  /** What became of each sequence: [batch]. */
  readonly outcomes: number
  readonly words: number
  readonly losses: number
  readonly gradients: number
  readonly workspace: number
}

/** The layout of a signature. */
export function layoutOf(
  { inputs, attrs }: Signature,
  { firstOutput, workspace }: Pick<Places, 'firstOutput' | 'workspace'>,
): Layout {
  const [logits, labels] = inputs as readonly [ConcreteType, ConcreteType]
  const [time, batch, classes] = logits.shape as readonly [number, number, number]
  const places = labels.shape[1]!
  const states = 2 * places + 1
  const scores = batch * time * states
  return {
    dtype: logits.dtype,
    time,
    batch,
    classes,
    places,
    states,
    blank: Number(attrs['blank']),
    norms: 0,
    forward: time * batch,
    backward: time * batch + scores,
    outcomes: time * batch + 2 * scores,
    words: time * batch + 2 * scores + batch,
    losses: firstOutput,
    gradients: firstOutput + 1,
    workspace,
  }
}

/** What became of a sequence: it has readings; it has none, being too short for its labels; one of its labels is no class. */
export const outcome = { possible: '0.0', impossible: '1.0', wrong: '2.0' } as const

/** The inputs: the logits, the labels, how many labels, how many steps. */
export const inputUses = ({ dtype, time, batch, classes, places }: Layout): BufferUse[] => [
  { arg: 0, dtype, length: time * batch * classes, access: 'read' },
  { arg: 1, dtype: 'int32', length: batch * places, access: 'read' },
  { arg: 2, dtype: 'int32', length: batch, access: 'read' },
  { arg: 3, dtype: 'int32', length: batch, access: 'read' },
]

/** Scratch memory. */
export const scratchUse = ({ workspace, words }: Layout, access: BufferUse['access']): BufferUse => ({
  arg: workspace,
  dtype: 'float32',
  length: words,
  access,
})

/** One sequence in a shader whose first memories are the inputs. */
export interface Sequence {
  /** The same for all lanes, also where the compiler cannot see that: so many steps and labels count. */
  readonly steps: string
  readonly labels: string
  /** The class of label `place`. */
  readonly label: (place: string) => string
}

/** What is known of sequence `n`. All lanes must come here. */
export function sequenceOf(shader: Shader, { time, places }: Layout, n: string): Sequence {
  const [steps, labels] = [shader.shared('i32'), shader.shared('i32')]
  shader.block('if (lane == 0)', () => {
    shader.line(`${labels} = clamp(${shader.memory(2).load(n)}, 0, ${places});`)
    shader.line(`${steps} = clamp(${shader.memory(3).load(n)}, 0, ${time});`)
  })
  return {
    labels: shader.let(`workgroupUniformLoad(&${labels})`),
    steps: shader.let(`workgroupUniformLoad(&${steps})`),
    label: (place) => shader.memory(1).load(`${n} * ${places} + ${place}`),
  }
}

/** Scores are logarithms. What is impossible has a finite one, since compilers may take it that no number is infinite; below `hopeless` all are that. */
export const impossible = '-1e30f'
/** Scores of what is possible are greater. */
export const hopeless = '-5e29f'

/** e^x for x of 0 and less, which may be as low as scores are. */
export const exponential = (shader: Shader, x: string): string =>
  // Nothing is left of it in float32 below.
  `${shader.include(mathFunctions.exp)}(max(${x}, -104.0))`

/** The score of either of three things. */
export const either: WgslFunction = {
  name: 'either_of',
  needs: [mathFunctions.exp, mathFunctions.log],
  code: `
fn either_of(a: f32, b: f32, c: f32) -> f32 {
  let top = max(max(a, b), c);
  if (top < ${hopeless}) { return ${impossible}; }
  let all = ${['a', 'b', 'c'].map((x) => `${mathFunctions.exp.name}(max(${x} - top, -104.0))`).join(' + ')};
  return top + ${mathFunctions.log.name}(all);
}`,
}
