import { ndarray } from '@shoal/core'
import { describe, expect, expectTypeOf, it } from 'vitest'
import type { Dataset } from '../dataset.ts'
import { DataError } from '../errors.ts'
import { file } from '../files.ts'
import type { CsvOptions } from './csv.ts'
import { csvRows, readCsv } from './csv.ts'
import { writeCsv } from './csvWrite.ts'
import { readLines, readText } from './text.ts'

const bytes = (text: string) => new TextEncoder().encode(text)
/** The text in chunks of a few bytes, which cut fields, quotes and characters apart. */
const crumbs = (text: string, size: number) => ({
  name: 'crumbs.csv',
  async *open() {
    const all = bytes(text)
    for (let i = 0; i < all.length; i += size) yield all.subarray(i, i + size)
  },
})
const dataset = (name: string) => file(new URL(`../../../../datasets/${name}`, import.meta.url))

describe('csv', () => {
  it('infers the dtype of each column', async () => {
    const table = 'i,l,f,g,b,s,e\n1,3000000000,1.5,2,true,x,\n-2,4,1e3,,false,2,\n'
    const columns = await readCsv(bytes(table))
    expect(Object.entries(columns).map(([name, { dtype }]) => `${name} ${dtype}`)).toEqual([
      'i int32',
      'l int64',
      'f float32',
      'g float32',
      'b bool',
      's string',
      'e string',
    ])
    expect(columns['g']!.toArray()).toEqual([2, NaN])
    expect(columns['l']!.toArray()).toEqual([3000000000n, 4n])
  })

  it('holds stated columns to their dtype, and reads no others', async () => {
    const rows = csvRows(bytes('a,b,c\n1,2,x\n3,4,y\n'), { columns: { c: 'string', a: 'int64' } })
    expectTypeOf(rows).toEqualTypeOf<Dataset<{ readonly c: string; readonly a: bigint }>>()
    expect(await rows.toArray()).toEqual([
      { c: 'x', a: 1n },
      { c: 'y', a: 3n },
    ])
    expect(await rows.skip(1).toArray()).toEqual([{ c: 'y', a: 3n }])
  })

  it.each([1, 2, 3, 7, 1000])(
    'understands quotes, line ends and UTF-8 in chunks of %i bytes',
    async (size) => {
      const text = 'name,note\r\n"Müller, ""Max""","two\nlines"\r\n\r\nplain," padded "\r\n"end"" ",last'
      const rows = await csvRows(crumbs(text, size), { trim: false }).toArray()
      expect(rows).toEqual([
        { name: 'Müller, "Max"', note: 'two\nlines' },
        { name: 'plain', note: ' padded ' },
        { name: 'end" ', note: 'last' },
      ])
    },
  )

  it('reads tables without header, with comments, other delimiters and marks of absence', async () => {
    const options = { header: false, comment: '#', delimiter: ';', missing: ['?'] }
    expect(await csvRows(bytes('# one\n1;a\n#two\n?;b\n'), options).toArray()).toEqual([
      { column0: 1, column1: 'a' },
      { column0: NaN, column1: 'b' },
    ])
    const stated = { header: false, columns: { x: 'float32', y: 'uint8' } } as const
    expect(await csvRows(bytes('1,2\n'), stated).toArray()).toEqual([{ x: 1, y: 2 }])
  })

  it('reads Iris and Adult', async () => {
    const iris = await readCsv(dataset('iris.csv'))
    expect(iris['target']!.shape).toEqual([150])
    expect(iris['sepal_length_cm']!.dtype).toBe('float32')
    const adult = await readCsv(dataset('adult.data.gz'), { missing: ['', '?'] })
    expect([adult['age']!.dtype, adult['workclass']!.dtype]).toEqual(['int32', 'string'])
    expect((adult['classification']!.data as string[]).filter((label) => label === '>50K')).toHaveLength(7841)
    expect(adult['age']!.size).toBe(32_561)
  })

  it.each([
    ['a,b\n1,2\n3\n', 'crumbs.csv, line 3: 1 fields where there are 2 columns', {}],
    ['a\n1\nx\n', 'line 3: "x" in column \'a\', which is int32', { inferRecords: 1 }],
    ['a,b\n,1\n', "line 2: a missing value in column 'a', which is int32", { columns: { a: 'int32' } }],
    ['a\n300\n', 'which is uint8', { columns: { a: 'uint8' } }],
    ['a,b\n"x"y,1\n', 'line 2: Trailing quote', {}],
    ['a,b\n"two\nlines",1\n"x', 'line 4: Quoted field unterminated', {}],
    ['a,a\n1,2\n', "two columns are named 'a'", {}],
    ['', 'the table is empty', {}],
    ['a\n1\n', "no column 'z': there are a", { columns: { z: 'int32' } }],
    [`a\n"${'x'.repeat(100)}`, 'more than 50 characters', { maxRecordLength: 50 }],
  ] as [string, string, CsvOptions][])('says of %j: %s', async (text, message, options) => {
    const result = csvRows(crumbs(text, 9), options).toArray()
    await expect(result).rejects.toThrow(message)
    await expect(result).rejects.toBeInstanceOf(DataError)
  })

  it('gives back what it wrote', async () => {
    const table = {
      n: ndarray([1.5, NaN]),
      s: ndarray(['a,"b"', 'line\nend']),
      i: ndarray([1n, -5n]),
      b: ndarray([true, false]),
    }
    const columns = { n: 'float32', s: 'string', i: 'int64', b: 'bool' } as const
    expect(await readCsv(bytes(writeCsv(table)), { columns })).toEqual(table)
  })
})

describe('text', () => {
  it('is read by lines, whatever the chunks', async () => {
    for (const size of [1, 2, 100])
      expect(await readLines(crumbs('ä\r\n\nb\nlast', size)).toArray()).toEqual(['ä', '', 'b', 'last'])
    expect(await readLines(bytes('a\n')).toArray()).toEqual(['a'])
    expect(await readLines(dataset('names.txt.gz')).take(3).toArray()).toEqual(['emma', 'olivia', 'ava'])
    expect((await readText(dataset('tinyshakespeare.txt.gz'))).length).toBe(1_115_394)
  })

  it('must be UTF-8, and lines not too long', async () => {
    await expect(readText(Uint8Array.of(0x61, 0xff))).rejects.toThrow('not UTF-8')
    await expect(readLines(bytes('a\nbbbb\n'), { maxLineLength: 3 }).toArray()).rejects.toThrow(
      'line 2: a line of more than 3',
    )
    await expect(readText(bytes('abc'), { maxBytes: 2 })).rejects.toThrow('too long')
  })
})
