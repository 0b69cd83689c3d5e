import { expect, it } from 'vitest'
import { decodeHeader, headerBytes, paddingAt, putHeader } from './header.ts'

const header = { kind: 'chunk', id: 7, answer: true, urgent: false, length: 9000, crc: undefined } as const

it('is read as it was written, wherever it is', () => {
  const bytes = new Uint8Array(3 + headerBytes).fill(255)
  putHeader(bytes.subarray(3), { ...header, padding: 63 })
  expect(decodeHeader(bytes, 3)).toEqual({ ...header, padding: 63 })
})

it('is followed by padding up to a multiple of 64, and never by more', () => {
  for (const [at, padding] of [
    [0, 44],
    [44, 0],
    [45, 63],
    [64, 44],
  ] as const)
    expect(paddingAt(at)).toHaveLength(padding)
  const bytes = new Uint8Array(headerBytes)
  putHeader(bytes, { ...header, padding: 64 })
  expect(() => decodeHeader(bytes)).toThrow(/padding 64/)
})
