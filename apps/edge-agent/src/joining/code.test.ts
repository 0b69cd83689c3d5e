import { randomBytes } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { roleSchema } from '../api/node.ts'
import { addressBytes, addressOf } from './addressBytes.ts'
import { formatCode, type JoinCode, parseCode } from './code.ts'
import { CodeError } from './errors.ts'

const some: JoinCode = {
  role: 'worker',
  clusterId: '9f'.repeat(32),
  secret: Uint8Array.from({ length: 16 }, (_, i) => i * 17),
  addresses: ['192.168.1.20:7070', '[2001:db8::7]:7070'],
}
const text = formatCode(some)
const letters = text.slice('shoal1-'.length)

describe('an address in bytes', () => {
  it.each([
    '10.0.0.255:65535',
    '0.0.0.0:1',
    '[::1]:7070',
    '[::]:80',
    '[2001:db8::ff00:42:8329]:7070',
    '[1:2:3:4:5:6:7:8]:7070',
    '[1:0:0:2:3:4:5:6]:7070',
  ])('is %s again', (address) => {
    const again = addressOf(addressBytes(address)!)
    expect(addressBytes(again)).toEqual(addressBytes(address))
    expect(new URL(`http://${again}/`).host).toBe(new URL(`http://${address}/`).host)
  })

  it('is none for what means nothing elsewhere', () => {
    expect([addressBytes('pi1.local:7070'), addressBytes('[fe80::1%eth0]:7070')]).toEqual([
      undefined,
      undefined,
    ])
    expect(addressOf(addressBytes('[::ffff:1.2.3.4]:7070')!)).toBe('[::ffff:102:304]:7070')
  })
})

describe('a code', () => {
  it('says what was said', () => {
    expect(text).toMatch(/^shoal1-[0-9a-hjkmnp-tv-z]{125}$/)
    expect(parseCode(text)).toEqual(some)
    for (const role of roleSchema.options)
      for (let count = 0; count <= 4; count++) {
        const addresses = Array.from({ length: count }, (_, i) =>
          i % 2 === 0 ? `10.0.0.${i}:7070` : `[fd00::${i}]:7071`,
        )
        const code = { role, addresses, clusterId: randomBytes(32).toString('hex'), secret: randomBytes(16) }
        expect(parseCode(formatCode(code))).toEqual({ ...code, secret: new Uint8Array(code.secret) })
      }
  })

  it('takes the first four addresses that make sense elsewhere', () => {
    const addresses = ['pi1.local:1', '10.0.0.1:1', '10.0.0.2:1', '10.0.0.3:1', '10.0.0.4:1', '10.0.0.5:1']
    expect(parseCode(formatCode({ ...some, addresses })).addresses).toEqual(addresses.slice(1, 5))
  })

  it('may be written in groups, large, and with letters that look like others', () => {
    const grouped = (letters.match(/.{1,5}/g) ?? []).join('-')
    expect(parseCode(` SHOAL1-${grouped.toUpperCase()}\n`)).toEqual(some)
    expect(parseCode(`shoal1-${letters.replaceAll('0', 'O').replaceAll('1', 'l')}`)).toEqual(some)
  })

  it('is not read with a letter that is wrong, wherever it is, nor with two that changed places', () => {
    const spoilt = Array.from({ length: letters.length - 1 }, (_, at) => {
      const [before, a, b, after] = [
        letters.slice(0, at),
        letters[at]!,
        letters[at + 1]!,
        letters.slice(at + 2),
      ]
      const other = a === '7' ? '8' : '7'
      return a === b
        ? [`${before}${other}${b}${after}`]
        : [`${before}${other}${b}${after}`, `${before}${b}${a}${after}`]
    }).flat()
    for (const one of spoilt) expect(() => parseCode(`shoal1-${one}`)).toThrow(CodeError)
    const wrong = `shoal1-${letters.slice(0, 40)}${letters[40] === 'z' ? 'y' : 'z'}${letters.slice(41)}`
    expect(() => parseCode(wrong)).toThrow('a letter of the code is wrong, or two have changed places')
  })

  it('says what is wrong with it', () => {
    for (let length = 4; length < letters.length; length++)
      expect(() => parseCode(`shoal1-${letters.slice(0, length)}`)).toThrow(
        `the code is cut off: it has ${length} letters after 'shoal1-' and should have 125`,
      )
    expect(() => parseCode(`${text}zz`)).toThrow('is too long: it has 127 letters')
    expect(() => parseCode(`${text}${text}`)).toThrow(CodeError)
    expect(() => parseCode(text.replace(/.{3}$/, 'u!x'))).toThrow(`letter 123 after 'shoal1-' is 'u'`)
    expect(() => parseCode(text.replace('shoal1', 'shoal12'))).toThrow(
      'version 12, this program reads version 1',
    )
    for (const nonsense of ['', 'hello', 'shoal', 'shoal-1', '1'.repeat(1000)])
      expect(() => parseCode(nonsense)).toThrow('this is no code: codes begin with shoal1-')
    expect(() => parseCode('shoal1-')).toThrow('is cut off: it has 0 letters')
  })
})
