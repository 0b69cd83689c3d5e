// What stands on the terminal, letter by letter.
import { stripVTControlCharacters, styleText } from 'node:util'
import { describe, expect, it } from 'vitest'
import { braillePlot } from './braille.ts'
import { byteRate, bytes, duration, measured, percent, rate } from './quantities.ts'
import { sparkline } from './sparkline.ts'
import { table } from './table.ts'
import { fit, pad, widthOf } from './width.ts'

const red = (text: string): string => styleText('red', text, { validateStream: false })

describe('text', () => {
  it('is as wide as a terminal shows it', () => {
    expect(['abc', '日本', '👩‍👩‍👧', 'e\u0301', red('ab')].map(widthOf)).toEqual([3, 4, 2, 1, 2])
  })

  it('is cut between letters, and its colours are ended', () => {
    expect(fit('日本語', 4)).toBe('日…')
    expect(fit('abc', 3)).toBe('abc')
    expect(fit('abc', 0)).toBe('')
    const cut = fit(red('abcdef'), 4)
    expect(stripVTControlCharacters(cut)).toBe('abc…')
    expect(cut).toContain('\u001B[39m')
  })

  it('is filled up on either side', () => {
    expect([pad('日', 4), pad('7', 4, 'right'), pad('abc', 2)]).toEqual(['日  ', '   7', 'abc'])
  })
})

describe('a table', () => {
  const rows = [
    { node: 'pi-1', cores: 4, why: '' },
    { node: '机器', cores: 16, why: '' },
  ]
  const columns = [
    { title: 'node', of: (row: (typeof rows)[0]) => row.node },
    { title: 'cores', of: (row: (typeof rows)[0]) => String(row.cores), align: 'right' },
    { title: 'why', of: (row: (typeof rows)[0]) => row.why, optional: true },
  ] as const

  it('lines up wide letters and numbers, and leaves out what is empty', () => {
    expect(table(rows, columns)).toEqual(['node  cores', 'pi-1      4', '机器     16'])
  })

  it('makes the widest column narrower where there is no room', () => {
    const long = [{ node: 'pi-1', cores: 4, why: 'nothing answers\nat 10.0.0.9:7070' }]
    const lines = table(long, columns, { columns: 28 })
    expect(lines).toEqual(['node  cores  why', 'pi-1      4  nothing answer…'])
    expect(table(long, columns, { columns: 12 }).every((line) => widthOf(line) <= 12)).toBe(true)
  })

  it('shows titles as it is told, and without rows nothing else', () => {
    const [first, ...rest] = table([], columns, { title: red })
    expect(stripVTControlCharacters(first!)).toBe('node  cores')
    expect(first).not.toBe('node  cores')
    expect(rest).toEqual([])
  })
})

describe('a sparkline', () => {
  it('is as high as the numbers', () => {
    expect(sparkline([0, 1, 2, 3, 4, 5, 6, 7], 8)).toBe('▁▂▃▄▅▆▇█')
    expect(sparkline([1, Number.NaN, 3], 8)).toBe('▁ █')
    expect(sparkline([5, 5], 8)).toBe('▅▅')
    expect(sparkline([], 8)).toBe('')
  })

  it('takes means where there are too many numbers', () => {
    expect(sparkline([0, 0, 1, 1, 2, 2], 3)).toBe('▁▅█')
  })
})

describe('a braille plot', () => {
  const line = (...ys: readonly number[]) => ys.map((y, x) => ({ x, y }))

  it('draws a falling line from corner to corner', () => {
    const { lines, low, high } = braillePlot(line(3, 2, 1, 0), { columns: 2, rows: 1 })
    expect(lines).toEqual(['⠑⢄'])
    expect([low, high]).toEqual([0, 3])
  })

  it('joins points, leaves gaps where a number is none, and runs flat through the middle', () => {
    expect(braillePlot(line(0, 1), { columns: 2, rows: 1 }).lines).toEqual(['⡠⠊'])
    expect(braillePlot(line(1, Number.NaN, 1), { columns: 2, rows: 1 }).lines).toEqual(['⠄⠠'])
    expect(braillePlot(line(2, 2), { columns: 2, rows: 1 }).lines).toEqual(['⠤⠤'])
  })

  it('is as large as it was told, whatever there is to draw', () => {
    expect(braillePlot([], { columns: 3, rows: 2 }).lines).toEqual(['⠀⠀⠀', '⠀⠀⠀'])
    const steep = braillePlot(line(0, 100, 0, 100), { columns: 10, rows: 3 }).lines
    expect(steep.map((text) => text.length)).toEqual([10, 10, 10])
  })
})

describe('quantities', () => {
  it('have three digits that count', () => {
    expect([0, 999, 1024, 1536, 1023.6 * 1024, 2 ** 29, 3.25 * 2 ** 30].map(bytes)).toEqual([
      '0 B',
      '999 B',
      '1 KiB',
      '1.50 KiB',
      '1 MiB',
      '512 MiB',
      '3.25 GiB',
    ])
    expect(byteRate(12.5 * 2 ** 20)).toBe('12.5 MiB/s')
    expect([0, 0.25, 3, 12.34, 999, 1250.4].map(rate)).toEqual([
      '0/s',
      '0.250/s',
      '3/s',
      '12.3/s',
      '999/s',
      '1,250/s',
    ])
    expect([0.031249, 2.345, 1250.2, 1e-7, 7, 1e6, Number.NaN, -0.5].map(measured)).toEqual([
      '0.0312',
      '2.35',
      '1,250',
      '1.00e-7',
      '7',
      '1,000,000',
      'NaN',
      '-0.500',
    ])
    expect(percent(0.068)).toBe('7 %')
  })

  it('of time are said by their two largest units', () => {
    expect(
      [0, 380.4, 999.6, 4210, 59_949, 59_960, 200_000, 3_600_000, 7_500_000, 273_600_000].map(duration),
    ).toEqual(['0 ms', '380 ms', '1.0 s', '4.2 s', '59.9 s', '1 m', '3 m 20 s', '1 h', '2 h 5 m', '3 d 4 h'])
  })
})
