import { constant, ndarray, Session, ShapeError, ValueError } from '@shoal/core'
import { describe, expect, it } from 'vitest'
import { accuracy, confusionCounts, topKAccuracy } from './accuracy.ts'
import { ConfusionTable } from './confusionTable.ts'
import { Means } from './means.ts'
import { averagePrecision, rocAuc } from './ranking.ts'

const value = (t: Parameters<Session['runSync']>[0]): unknown =>
  new Session().runSync(t as ReturnType<typeof constant>).toArray()
const logits = constant([
  [3, 1, 2],
  [0, 5, 5],
  [1, 2, 3],
  [9, 8, 7],
])

describe('accuracy', () => {
  it('is the share of right answers', () => {
    expect(value(accuracy(logits, constant([0, 2, 2, 0], 'int32')))).toBe(0.75)
    expect(value(accuracy(logits, constant([0, 1, 0, 1], 'int64')))).toBe(0.5)
  })
  it('may accept the best few', () => {
    const labels = constant([2, 2, 0, 2], 'int32')
    expect([1, 2, 3].map((k) => value(topKAccuracy(logits, labels, { k })))).toEqual([0.25, 0.5, 1])
    expect(value(topKAccuracy(logits, constant([7, -1, 0, 0], 'int32'), { k: 3 }))).toBe(0.5)
    expect(
      value(
        topKAccuracy(
          [
            [Number.NaN, 1],
            [Number.POSITIVE_INFINITY, 1],
          ],
          [0, 0],
          { k: 2 },
        ),
      ),
    ).toBe(0)
  })
  it('refuses labels of another shape', () => {
    expect(() => accuracy(logits, [0, 1])).toThrow(ShapeError)
    expect(() => accuracy(logits, [[0, 1, 2, 3]])).toThrow(ShapeError)
  })
})

describe('a confusion table', () => {
  const labels = [0, 0, 1, 1, 1, 2]
  const predictions = [0, 1, 1, 1, 0, 0]
  it('is counted in the graph', () => {
    expect(value(confusionCounts(labels, predictions, { classes: 3 }))).toEqual([
      [1, 1, 0],
      [1, 2, 0],
      [1, 0, 0],
    ])
    expect(value(confusionCounts([0, 3, -1, 1], [0, 0, 1, 3], { classes: 3 }))).toEqual([
      [1, 0, 0],
      [0, 0, 0],
      [0, 0, 0],
    ])
  })
  it('is gathered batch by batch', () => {
    const table = new ConfusionTable(['a', 'b', 'c'])
    table.add(ndarray(labels.slice(0, 4), 'int32'), ndarray(predictions.slice(0, 4), 'int64'))
    table.add(ndarray(labels.slice(4), 'int32'), ndarray(predictions.slice(4), 'int32'))
    expect(table.counts).toEqual([
      [1, 1, 0],
      [1, 2, 0],
      [1, 0, 0],
    ])
    expect([table.total, table.accuracy]).toEqual([6, 0.5])
    expect([table.precision(0), table.recall(0), table.f1(0)]).toEqual([1 / 3, 1 / 2, 2 / 5])
    expect([table.precision(2), table.recall(2)]).toEqual([Number.NaN, 0])
    expect(table.toString().split('\n')).toEqual([
      '               a      b  c  recall',
      '        a      1      1  0   50.0%',
      '        b      1      2  0   66.7%',
      '        c      1      0  0    0.0%',
      'precision  33.3%  66.7%  -   50.0%',
    ])
  })
  it('refuses what is no class, and then counts nothing', () => {
    const table = new ConfusionTable(2)
    expect(() => table.add(ndarray([0, 2], 'int32'), ndarray([0, 0], 'int32'))).toThrow(ValueError)
    expect(() => table.add(ndarray([0], 'int32'), ndarray([0, 0], 'int32'))).toThrow(ShapeError)
    expect(() => table.precision(2)).toThrow(ValueError)
    expect(table.total).toBe(0)
  })
})

describe('rankings', () => {
  it('are measured by the area under the curve', () => {
    expect(rocAuc([0.1, 0.4, 0.35, 0.8], [0, 0, 1, 1])).toBe(0.75)
    expect(rocAuc([1, 2, 3], [true, false, false])).toBe(0)
    expect(rocAuc([1, 1, 1, 1], [0, 1, 0, 1])).toBe(0.5)
    expect(rocAuc([1, 2], [1, 1])).toBeNaN()
  })
  it('are measured by average precision', () => {
    expect(averagePrecision([0.1, 0.4, 0.35, 0.8], [0, 0, 1, 1])).toBeCloseTo(5 / 6, 12)
    expect(averagePrecision([1, 1], [0, 1])).toBe(0.5)
  })
  it('agree with counting pairs one by one', () => {
    const scores = Array.from({ length: 60 }, (_, i) => (i * 37) % 23)
    const positives = scores.map((score, i) => (score + ((i * 11) % 17)) % 3 === 0)
    let [wins, pairs] = [0, 0]
    scores.forEach((a, i) =>
      scores.forEach((b, j) => {
        if (!positives[i] || positives[j]) return
        pairs++
        wins += a > b ? 1 : a === b ? 0.5 : 0
      }),
    )
    expect(rocAuc(scores, positives)).toBeCloseTo(wins / pairs, 12)
  })
  it('refuse scores without a rank', () => {
    expect(() => rocAuc([Number.NaN], [1])).toThrow(ValueError)
    expect(() => rocAuc([1], [1, 0])).toThrow(ValueError)
  })
})

describe('means', () => {
  it('count batches by their weight', () => {
    const means = new Means()
    means.add({ loss: 1 }, 3)
    means.add({ loss: 5, other: 2 })
    expect(means.means).toEqual({ loss: 2, other: 2 })
    means.clear()
    expect(means.means).toEqual({})
  })
})
