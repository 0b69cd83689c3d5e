import { describe, expect, it } from 'vitest'
import { gather, gatherBytes, inRecords } from './byteStream.ts'

const bytes = (length: number): Uint8Array => Uint8Array.from({ length }, (_, i) => (i * 31) % 251)
const sizes = (pieces: readonly Uint8Array[]): number[] => pieces.map(({ length }) => length)
const joined = (pieces: readonly Uint8Array[]): Uint8Array => Uint8Array.from(Buffer.concat([...pieces]))

describe('what is to be written', () => {
  const header = bytes(20)
  const small = bytes(100)
  const large = bytes(gatherBytes + 1000)

  it('is one piece where it is little', () => {
    expect(sizes(gather([header, small]))).toEqual([120])
    expect(sizes(inRecords([header, small]))).toEqual([120])
    expect(inRecords([large])).toEqual([large])
  })

  it('stays where it is where it is much', () => {
    expect(gather([header, large])).toEqual([header, large])
  })

  it('fills a record of TLS with what is before a large piece, and copies no more of that', () => {
    const pieces = inRecords([header, small, large])
    expect(sizes(pieces)).toEqual([2 ** 14, 120 + large.length - 2 ** 14])
    expect(pieces[1]!.buffer).toBe(large.buffer)
    expect(joined(pieces)).toEqual(joined([header, small, large]))
  })

  it('is one piece where it ends with little', () => {
    expect(joined(inRecords([header, large, header, small]))).toEqual(joined([header, large, header, small]))
    expect(sizes(inRecords([header, large, header, small]))).toEqual([140 + large.length])
  })
})
