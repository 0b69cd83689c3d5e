// The census of 1994: 14 facts about each of 48,842 people, and whether they earned more than 50,000 dollars a year.
import type { NDArray } from '@shoal/core'
import { ndarray } from '@shoal/core'
import { readCsv } from '@shoal/data'
import { dataset } from '@shoal/example-parts'

/** Columns of numbers. */
export const numeric = ['age', 'education-num', 'capital-gain', 'capital-loss', 'hours-per-week'] as const
/** Columns of words. */
export const categorical = [
  'workclass',
  'education',
  'marital-status',
  'occupation',
  'relationship',
  'race',
  'sex',
  'native-country',
] as const

/** The columns of a table, an NDArray [people] each: float32 for numbers, strings for words; 'rich' is 1 or 0. */
export type People = Readonly<
  Record<(typeof numeric)[number] | (typeof categorical)[number] | 'rich', NDArray>
>

const types = Object.fromEntries([
  ...numeric.map((name) => [name, 'float32'] as const),
  ...[...categorical, 'classification'].map((name) => [name, 'string'] as const),
]) as Record<string, 'float32' | 'string'>

/** One of the two tables. Unknown words stay '?', which says something too. @throws DataError when the file is damaged. */
export async function readPeople(name: 'adult.data.gz' | 'adult.test.gz'): Promise<People> {
  const { classification, ...columns } = await readCsv(dataset(name), { columns: types })
  // In the test table the classes end in a dot.
  const rich = (classification!.data as readonly string[]).map((text) => (text.startsWith('>50K') ? 1 : 0))
  return { ...columns, rich: ndarray(rich) } as unknown as People
}

/** What a model must know of a table before it sees it. */
export interface Statistics {
  /** The words of each categorical column, the most frequent first. */
  readonly vocabularies: Readonly<Record<string, readonly string[]>>
  /** Mean and standard deviation of each numeric column, brought to one scale by log(1 + x). */
  readonly moments: Readonly<Record<string, { readonly mean: number; readonly deviation: number }>>
}

/** Statistics of the table to learn from. */
export function statisticsOf(people: People): Statistics {
  const vocabularies = categorical.map((name) => [name, wordsOf(people[name].data as readonly string[])])
  const moments = numeric.map((name) => [name, momentsOf(people[name].numbers().map(Math.log1p))])
  return {
    vocabularies: Object.fromEntries(vocabularies),
    moments: Object.fromEntries(moments),
  } as Statistics
}

function wordsOf(column: readonly string[]): string[] {
  const counts = new Map<string, number>()
  for (const word of column) counts.set(word, (counts.get(word) ?? 0) + 1)
  return [...counts.keys()].sort((a, b) => counts.get(b)! - counts.get(a)! || (a < b ? -1 : 1))
}

function momentsOf(values: readonly number[]): { mean: number; deviation: number } {
  const mean = values.reduce((a, b) => a + b) / values.length
  const variance = values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / values.length
  return { mean, deviation: Math.sqrt(variance) }
}
