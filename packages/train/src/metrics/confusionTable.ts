// The confusion table: which classes are taken for which, gathered batch by batch on the host.
import type { NDArray } from '@shoal/core'
import { ShapeError, ValueError } from '@shoal/core'

/** Counts pairs of label and prediction. */
export class ConfusionTable {
  /** The names of the classes. */
  readonly classes: readonly string[]
  /** counts[label][prediction] */
  readonly counts: readonly number[][]

  /** @param classes their names, or how many there are. */
  constructor(classes: number | readonly string[]) {
    this.classes =
      typeof classes === 'number' ? Array.from({ length: classes }, (_, i) => String(i)) : classes
    this.counts = this.classes.map(() => this.classes.map(() => 0))
  }

  /** Counts classes in arrays of equal shapes; all or none. @throws ShapeError, ValueError for numbers that are no class. */
  add(labels: NDArray, predictions: NDArray): void {
    if (labels.shape.join() !== predictions.shape.join())
      throw new ShapeError(
        `labels [${labels.shape.join(', ')}] and predictions [${predictions.shape.join(', ')}] differ in shape`,
      )
    const guesses = predictions.numbers()
    const pairs = labels.numbers().map((label, i) => [label, guesses[i]!] as const)
    const wrong = pairs.flat().find((x) => this.classes[x] === undefined)
    if (wrong !== undefined) throw new ValueError(`${wrong} is none of ${this.classes.length} classes`)
    for (const [label, guess] of pairs) this.counts[label]![guess]!++
  }

  /** How many pairs were counted. */
  get total(): number {
    return total(this.counts.flat())
  }
  /** The share of predictions that were right; NaN before any. */
  get accuracy(): number {
    return total(this.counts.map((row, i) => row[i]!)) / this.total
  }
  /** Of what was taken for a class, the share that was of it; NaN when nothing was. */
  precision(at: number): number {
    return this.#hits(at) / total(this.counts.map((row) => row[at]!))
  }
  /** Of what is of a class, the share that was found; NaN when nothing is. */
  recall(at: number): number {
    return this.#hits(at) / total(this.counts[at]!)
  }
  /** The harmonic mean of precision and recall, 2 · hits / (found + wanted); NaN when the class never came up. */
  f1(at: number): number {
    return (2 * this.#hits(at)) / (total(this.counts.map((row) => row[at]!)) + total(this.counts[at]!))
  }

  /** A table for people: a row for each label, a column for each prediction, and the recall of each label in per cent. */
  toString(): string {
    const head = ['', ...this.classes, 'recall']
    const body = this.classes.map((name, i) => [
      name,
      ...this.counts[i]!.map(String),
      percent(this.recall(i)),
    ])
    const rows = [
      head,
      ...body,
      ['precision', ...this.classes.map((_, i) => percent(this.precision(i))), percent(this.accuracy)],
    ]
    const widths = head.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)))
    return rows.map((row) => row.map((cell, i) => cell.padStart(widths[i]!)).join('  ')).join('\n')
  }

  #hits(at: number): number {
    const row = this.counts[at]
    if (!row) throw new ValueError(`${at} is none of ${this.classes.length} classes`)
    return row[at]!
  }
}

const total = (xs: readonly number[]): number => xs.reduce((sum, x) => sum + x, 0)
const percent = (share: number): string => (Number.isNaN(share) ? '-' : `${(100 * share).toFixed(1)}%`)
