import { describe, expect, it } from 'vitest'
import { ProtocolError } from '../errors.ts'
import { encodeHead, encodeRow, Head } from './heads.ts'

const names = ['number', 'part', 'signature']

describe('a row', () => {
  it('is read by the names that its values have', () => {
    const head = new Head(encodeRow({ signature: 'mean', part: 'dense', number: 3 }, names), names)
    expect([head.whole('number'), head.text('part'), head.text('signature')]).toEqual([3, 'dense', 'mean'])
  })

  it('ends before the first value that there is not', () => {
    const row = encodeRow({ number: 3, part: 'dense' }, names)
    expect(new TextDecoder().decode(row)).toBe('[3,"dense"]')
    const head = new Head(row, names)
    expect(head.has('signature')).toBe(false)
    expect(() => head.text('signature')).toThrow(ProtocolError)
  })

  it('is no record, and a record is no row', () => {
    expect(() => new Head(encodeRow({ number: 3 }, names))).toThrow(ProtocolError)
    expect(() => new Head(encodeHead({ number: 3 }), names)).toThrow(ProtocolError)
    expect(() => new Head(new TextEncoder().encode('null'), names)).toThrow(ProtocolError)
  })
})
