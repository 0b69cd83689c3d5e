// Skip-gram with negative sampling: a word must tell its neighbours in the text from words that were drawn at random.
// After Mikolov et al., "Distributed Representations of Words and Phrases and their Compositionality", 2013.
import type { Node, Tensor } from '@shoal/core'
import {
  add,
  constant,
  embeddingLookup,
  gather,
  l2Normalize,
  matmul,
  mean,
  mul,
  onesLike,
  placeholder,
  randomInt,
  randomUniform,
  sigmoidCrossEntropy,
  sum,
  topK,
  variable,
  zeros,
  zerosLike,
} from '@shoal/core'
import { adam } from '@shoal/train'
import type { Corpus } from './data.ts'

/** How the embedding is made. */
export interface SkipGramOptions {
  /** Length of the vectors. */
  readonly width: number
  /** Pairs of words for each step. */
  readonly batchSize: number
  /** How far apart two neighbours are at most. */
  readonly window: number
  /** How many random words count as much as one neighbour. */
  readonly negatives: number
  /** Default 0.005. */
  readonly learningRate?: number
}

/** What is to be had. Nothing need be fed to train: the graph draws its pairs from the text itself. */
export interface SkipGram {
  /** The cross-entropy of neighbour and random words together; 0.693 · (1 + negatives) for who knows nothing. */
  readonly loss: Tensor
  /** One step of training. Only rows of the tables that it read change. */
  readonly step: Node
  /** Positions in the vocabulary, int32 [n]; fed as 'queries'. */
  readonly queries: Tensor
  /** The words nearest to each query, itself first: int32 [n, 8]. */
  readonly nearest: Tensor
}

/** Random words that all pairs of a step share: as good as words of their own, and one product instead of many. */
const sharedNegatives = 128

/** Builds the graph for a text. */
export function skipGram(
  corpus: Corpus,
  { width, batchSize, window, negatives, learningRate = 0.005 }: SkipGramOptions,
): SkipGram {
  const size = corpus.vocabulary.length
  const limit = 0.5 / width
  const table = variable(randomUniform([size, width], { low: -limit, high: limit }), { name: 'words' })
  const contexts = variable(zeros([size, width]), { name: 'contexts' })

  const text = constant(corpus.words)
  const near = Array.from({ length: window }, (_, i) => i + 1)
  const offsets = constant([...near.map((n) => -n), ...near], 'int32')
  const position = randomInt([batchSize], { low: window, high: corpus.words.length - window })
  const offset = gather(offsets, randomInt([batchSize], { high: 2 * window }))
  const drawn = gather(constant(unigrams(corpus)), randomInt([sharedNegatives], { high: unigramSlots }))

  const word = embeddingLookup(table, gather(text, position))
  const neighbour = embeddingLookup(contexts, gather(text, add(position, offset)))
  const strangers = embeddingLookup(contexts, drawn)
  const trueScores = sum(mul(word, neighbour), { axes: [1] })
  const falseScores = matmul(word, strangers, { transposeB: true })
  const loss = add(
    mean(sigmoidCrossEntropy(trueScores, onesLike(trueScores))),
    mul(mean(sigmoidCrossEntropy(falseScores, zerosLike(falseScores))), negatives),
  )

  const queries = placeholder({ shape: ['n'], dtype: 'int32', name: 'queries' })
  const directions = l2Normalize(table, { axes: [1] })
  const cosines = matmul(gather(directions, queries), directions, { transposeB: true })
  return {
    loss,
    step: adam({ learningRate }).minimize(loss),
    queries,
    nearest: topK(cosines, { k: 8 })[1],
  }
}

const unigramSlots = 100_000

/** A list in which each word stands as often as its frequency to the power of 3/4 wants, to draw from. */
function unigrams({ counts }: Corpus): Int32Array {
  const weights = counts.map((count) => count ** 0.75)
  const total = weights.reduce((a, b) => a + b)
  const list = new Int32Array(unigramSlots)
  let [end, reached] = [0, 0]
  weights.forEach((weight, word) => {
    const begin = end
    reached += weight
    end = Math.round((reached / total) * unigramSlots)
    list.fill(word, begin, end)
  })
  return list
}
