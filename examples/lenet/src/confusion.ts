// Which digits are taken for which: the table that an accuracy is the sum of.

/** Row: what a digit is; column: what it was taken for. */
export type Confusion = readonly (readonly number[])[]

/** Counts pairs of truth and prediction, whole numbers below `classes`. */
export function confusionOf(truth: readonly number[], predicted: readonly number[], classes = 10): Confusion {
  const table = Array.from({ length: classes }, () => new Array<number>(classes).fill(0))
  truth.forEach((label, i) => table[label]![predicted[i]!]!++)
  return table
}

/** The part of all that lies on the diagonal. */
export function accuracyOf(table: Confusion): number {
  const total = table.flat().reduce((a, b) => a + b, 0)
  return table.reduce((right, row, i) => right + row[i]!, 0) / total
}

/** The table as text; zeros are dots, so that mistakes stand out. */
export function formatConfusion(table: Confusion): string {
  const cell = (text: string | number): string => String(text).padStart(5)
  const head = `is \\ taken for${table.map((_, i) => cell(i)).join('')}`
  const rows = table.map((row, i) => {
    const right =
      (100 * row[i]!) /
      Math.max(
        1,
        row.reduce((a, b) => a + b),
      )
    const counts = row.map((count) => cell(count === 0 ? '·' : count)).join('')
    return `${String(i).padStart(14)}${counts}  ${right.toFixed(1).padStart(5)} %`
  })
  return [head, ...rows].join('\n')
}
