// Shakespeare as a sequence of numbered words.
import { ValueError } from '@shoal/core'
import { readText } from '@shoal/data'
import { dataset } from '@shoal/example-parts'

/** A text whose words are numbers. */
export interface Corpus {
  /** Word i of the vocabulary; the most frequent first. */
  readonly vocabulary: readonly string[]
  /** How often each word stands in the text. */
  readonly counts: readonly number[]
  /** The text, a position in the vocabulary for each word. */
  readonly words: Int32Array
}

/** Words rarer than this teach nothing, and words more frequent than that part of the text tell nothing of their neighbours. */
const [rarest, mostFrequent] = [8, 0.004]

/** The first `maxWords` words of Shakespeare, without the rarest and the most frequent. @throws DataError when the file is damaged. */
export async function readCorpus(maxWords = Infinity): Promise<Corpus> {
  const text = await readText(dataset('tinyshakespeare.txt.gz'))
  const all = (text.toLowerCase().match(/[a-z]+(?:'[a-z]+)*/g) ?? []).slice(0, maxWords)
  const counted = new Map<string, number>()
  for (const word of all) counted.set(word, (counted.get(word) ?? 0) + 1)
  const kept = [...counted]
    .filter(([, count]) => count >= rarest && count <= mostFrequent * all.length)
    .sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1))
  if (kept.length === 0) throw new ValueError(`${all.length} words are too few`)
  const position = new Map(kept.map(([word], i) => [word, i]))
  return {
    vocabulary: kept.map(([word]) => word),
    counts: kept.map(([, count]) => count),
    words: Int32Array.from(all.flatMap((word) => position.get(word) ?? [])),
  }
}
