// Shakespeare cut into strips of characters, each character a number.
import { NDArray } from '@shoal/core'
import { Dataset, readText } from '@shoal/data'
import { dataset } from '@shoal/example-parts'

/** A text to learn from. */
export interface Strips {
  /** Character i of the alphabet. */
  readonly alphabet: readonly string[]
  /** Characters as positions in the alphabet, int32 [batch, length + 1]: each is to be told from those before it. */
  readonly train: Dataset<{ readonly text: NDArray }>
  /** The last tenth of the text, of which nothing was learned. */
  readonly test: Dataset<{ readonly text: NDArray }>
}

/** How the text is cut. */
export interface StripOptions {
  readonly seed: number
  readonly batchSize: number
  /** Characters to predict in each strip. */
  readonly length: number
  /** Characters of the text to use; default all. */
  readonly characters?: number
}

/** Reads and cuts the text. @throws DataError when the file is damaged. */
export async function readStrips({
  seed,
  batchSize,
  length,
  characters = Infinity,
}: StripOptions): Promise<Strips> {
  const text = Array.from(await readText(dataset('tinyshakespeare.txt.gz'))).slice(0, characters)
  const alphabet = [...new Set(text)].sort()
  const position = new Map(alphabet.map((character, i) => [character, i]))
  const width = length + 1
  const count = Math.floor(text.length / width)
  const numbers = Int32Array.from({ length: count * width }, (_, i) => position.get(text[i]!)!)
  const strips = Dataset.fromTensors({ text: new NDArray('int32', [count, width], numbers) })
  const learned = Math.floor(0.9 * count)
  const batches = (some: typeof strips) => some.batch(batchSize, { dropRemainder: true })
  return {
    alphabet,
    train: batches(strips.take(learned).shuffle({ seed })),
    test: batches(strips.skip(learned)),
  }
}
