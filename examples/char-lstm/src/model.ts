// A long short-term memory that reads characters and says how likely each is to come next; it writes by reading what it said.
import type { Node, Tensor } from '@shoal/core'
import {
  add,
  argMax,
  div,
  embeddingLookup,
  fill,
  glorotUniform,
  log,
  lstm,
  lstmCell,
  mean,
  neg,
  orthogonal,
  randomUniform,
  placeholder,
  reshape,
  scan,
  slice,
  sparseSoftmaxCrossEntropy,
  truncatedNormal,
  variable,
  zeros,
} from '@shoal/core'
import { dense } from '@shoal/example-parts'
import { adam, clipByGlobalNorm } from '@shoal/train'

/** The sizes of the network. */
export interface WriterOptions {
  /** How many characters there are. */
  readonly alphabet: number
  /** Memory cells. */
  readonly units: number
  /** Characters to predict in each strip of text. */
  readonly length: number
  /** Characters that a sample has. */
  readonly sampleLength: number
  /** Default 0.003. */
  readonly learningRate?: number
}

/** What is to be had from the network. */
export interface Writer {
  /** Mean cross-entropy of the next character, in nats; fed 'text' int32 [batch, length + 1]. */
  readonly loss: Tensor
  /** One step of training. */
  readonly step: Node
  /** A text of its own, int32 [sampleLength]; fed 'first', the character to go on from, and 'temperature', below 1 for less daring. */
  readonly sample: Tensor
}

const embeddingWidth = 32
// A memory that forgets nothing at first learns to keep what matters.
const memory = { forgetBias: 1 }

/** Builds the network. */
export function writer({
  alphabet,
  units,
  length,
  sampleLength,
  learningRate = 0.003,
}: WriterOptions): Writer {
  const table = variable(truncatedNormal([alphabet, embeddingWidth], { deviation: 0.1 }), {
    name: 'characters',
  })
  const weights = {
    input: variable(glorotUniform([embeddingWidth, 4 * units]), { name: 'lstm/input' }),
    hidden: variable(orthogonal([units, 4 * units]), { name: 'lstm/hidden' }),
    bias: variable(zeros([4 * units]), { name: 'lstm/bias' }),
  }
  const logitsOf = dense('logits', units, alphabet, { initializer: glorotUniform })

  const text = placeholder({ shape: ['batch', length + 1], dtype: 'int32', name: 'text' })
  const read = slice(text, { begin: [0, 0], size: [-1, length] })
  const next = slice(text, { begin: [0, 1], size: [-1, length] })
  const { outputs } = lstm(embeddingLookup(table, read), weights, memory)
  const logits = logitsOf(reshape(outputs, { shape: [-1, units] }))
  const loss = mean(sparseSoftmaxCrossEntropy(logits, reshape(next, { shape: [-1] })))

  const first = placeholder({ shape: [1], dtype: 'int32', name: 'first' })
  const temperature = placeholder({ shape: [], name: 'temperature' })
  // The greatest logit after noise of this kind is drawn with the probabilities of the softmax: Gumbel, 1954.
  const noise = neg(log(neg(log(randomUniform([sampleLength, 1, alphabet])))))
  const { results } = scan(
    ([character, h, c], [luck]) => {
      const state = lstmCell(embeddingLookup(table, character!), { h: h!, c: c! }, weights, memory)
      const chosen = argMax(add(div(logitsOf(state.h), temperature), luck!), { axis: -1 })
      return [[chosen, state.h, state.c], [chosen]]
    },
    [first, fill({ shape: [1, units] }), fill({ shape: [1, units] })],
    [noise],
  )
  return {
    loss,
    step: adam({ learningRate }).minimize(loss, { clip: clipByGlobalNorm(1) }),
    sample: reshape(results[0]!, { shape: [-1] }),
  }
}
