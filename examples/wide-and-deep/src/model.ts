// A wide part that remembers which facts go together, and a deep part that generalises.
// After Cheng et al., "Wide & Deep Learning for Recommender Systems", 2016.
import type { Node, Tensor } from '@shoal/core'
import {
  addN,
  cast,
  concat,
  div,
  embeddingLookup,
  expandDims,
  gather,
  group,
  log1p,
  placeholder,
  relu,
  reshape,
  scope,
  sigmoid,
  sigmoidCrossEntropy,
  stringJoin,
  stringToHashBucket,
  sub,
  truncatedNormal,
  variable,
  vocabularyLookup,
  zeros,
} from '@shoal/core'
import { dense } from '@shoal/example-parts'
import { adam, ftrl, trainableVariables } from '@shoal/train'
import type { Statistics } from './data.ts'
import { categorical, numeric } from './data.ts'

/** Words that count together: who is a married manager is told by neither word alone. */
const crosses = [
  ['education', 'occupation'],
  ['marital-status', 'occupation'],
  ['marital-status', 'sex'],
  ['relationship', 'workclass'],
  ['native-country', 'education'],
] as const
const crossBuckets = 1000
const embeddingWidth = 8

/** What is to be had from the network; it is fed the columns of `People` by their names. */
export interface WideAndDeep {
  /** The mean cross-entropy. */
  readonly loss: Tensor
  /** How likely each is to earn more than 50,000 dollars, [batch]. */
  readonly probability: Tensor
  /** One step of training: FTRL for the wide part, Adam for the deep one. */
  readonly step: Node
}

/** Where a column comes in, [batch]. */
type Columns = Readonly<Record<string, Tensor>>

/** Builds the network for a table with these statistics. */
export function wideAndDeep(statistics: Statistics): WideAndDeep {
  const column = (dtype: 'float32' | 'string') => (name: string) =>
    [name, placeholder({ shape: ['batch'], dtype, name })] as const
  const numbers: Columns = Object.fromEntries(numeric.map(column('float32')))
  const words: Columns = Object.fromEntries(categorical.map(column('string')))
  const rich = placeholder({ shape: ['batch'], name: 'rich' })

  const wideLogits = scope('wide', () => wide(words))
  const deepLogits = scope('deep', () => deep(numbers, words, statistics))
  const logits = addN([wideLogits, deepLogits])
  const loss = sigmoidCrossEntropy(logits, rich, { reduction: 'mean' })
  return {
    loss,
    probability: sigmoid(logits),
    step: group(
      ftrl({ learningRate: 0.1, l1: 1e-5 }).minimize(loss, { variables: trainableVariables(wideLogits) }),
      adam({ learningRate: 0.001 }).minimize(loss, { variables: trainableVariables(deepLogits) }),
    ),
  }
}

/** Numbers of words as numbers of rows: GPUs have no int64, and whatever updates these rows must know them too. */
const asRows = (numbers: Tensor): Tensor => cast(numbers, { to: 'int32' })

/** A weight for each word and each pair of words, added up; words are found by their hash, so no list of them is needed. */
function wide(words: Columns): Tensor {
  const weightOf = (name: string, texts: Tensor): Tensor => {
    const weights = variable(zeros([crossBuckets]), { name })
    return gather(weights, asRows(stringToHashBucket(texts, { buckets: crossBuckets })))
  }
  const single = categorical.map((name) => weightOf(name, words[name]!))
  const crossed = crosses.map((names) => {
    const pair = stringJoin(
      names.map((name) => words[name]!),
      { separator: ' × ' },
    )
    return weightOf(names.join('-and-'), pair)
  })
  return addN([...single, ...crossed])
}

/** Words as points in space, numbers on one scale, and dense layers over all of them. */
function deep(numbers: Columns, words: Columns, { vocabularies, moments }: Statistics): Tensor {
  const embedded = categorical.map((name) => {
    const vocabulary = vocabularies[name]!
    // One row more, for words that were not there to be learned.
    const table = variable(truncatedNormal([vocabulary.length + 1, embeddingWidth], { deviation: 0.1 }), {
      name,
    })
    return embeddingLookup(table, asRows(vocabularyLookup(words[name]!, { vocabulary, oovBuckets: 1 })))
  })
  const scaled = numeric.map((name) => {
    const { mean, deviation } = moments[name]!
    return expandDims(div(sub(log1p(numbers[name]!), mean), deviation), { axis: 1 })
  })
  const features = concat([...embedded, ...scaled], { axis: 1 })
  const width = embeddingWidth * categorical.length + numeric.length
  const hidden1 = relu(dense('hidden1', width, 64)(features))
  const hidden2 = relu(dense('hidden2', 64, 32)(hidden1))
  return reshape(dense('logits', 32, 1)(hidden2), { shape: [-1] })
}
