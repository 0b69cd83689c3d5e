// Strings to positions in a list of known ones, and back.
import { AttrError } from '../../errors.ts'
import { attr } from '../../op.ts'
import { fnv1a64 } from './hash.ts'
import { stringOp } from './stringOp.ts'

// A vocabulary is an attribute, the same array in every run: its index is made once and lives as long as it.
const indices = new WeakMap<readonly string[], ReadonlyMap<string, number>>()

function indexOf(vocabulary: readonly string[]): ReadonlyMap<string, number> {
  let index = indices.get(vocabulary)
  if (!index) indices.set(vocabulary, (index = new Map(vocabulary.map((word, i) => [word, i]))))
  return index
}

const vocabulary = attr.texts('the known strings, in order')

/**
 * The position of each string in a vocabulary, int64. Unknown strings fall into `oovBuckets` positions after the vocabulary by their hash;
 * without such buckets they become `unknown`, default -1.
 */
export const vocabularyLookup = stringOp({
  name: 'VocabularyLookup',
  doc: 'The position of each string in a vocabulary, int64; unknown strings are hashed into buckets after it, or become a default.',
  attrs: {
    vocabulary,
    oovBuckets: attr.int('how many positions after the vocabulary unknown strings are hashed into', 0),
    unknown: attr.int('what unknown strings become when there are no such buckets', -1),
  },
  result: 'int64',
  check: ({ vocabulary: words, oovBuckets }) => {
    if (oovBuckets < 0) throw new AttrError(`oovBuckets ${oovBuckets} must not be negative`)
    const index = indexOf(words)
    if (index.size !== words.length)
      throw new AttrError(`the vocabulary names '${words.find((word, i) => index.get(word) !== i)}' twice`)
  },
  each: ({ vocabulary: words, oovBuckets, unknown }) => {
    const index = indexOf(words)
    return (text) =>
      index.get(text as string) ??
      (oovBuckets > 0 ? BigInt(words.length) + (fnv1a64(text as string) % BigInt(oovBuckets)) : unknown)
  },
})

/** The string at each position of a vocabulary; `unknown` for positions beyond it. */
export const vocabularyValue = stringOp({
  name: 'VocabularyValue',
  doc: 'The string at each position of a vocabulary; a default for positions beyond it.',
  dtypes: ['int32', 'int64'],
  attrs: { vocabulary, unknown: attr.text('what positions beyond the vocabulary become', '[UNK]') },
  result: 'string',
  each:
    ({ vocabulary: words, unknown }) =>
    (position) =>
      words[Number(position)] ?? unknown,
})
