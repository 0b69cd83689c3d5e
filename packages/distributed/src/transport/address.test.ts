// Which texts are addresses, and how they read again.
import { describe, expect, it } from 'vitest'
import { formatAddress, parseAddress } from './address.ts'

describe('an address', () => {
  it('is a name or a number with a port, and reads as it was written', () => {
    for (const address of ['pi1.lan:7070', '192.0.2.1:0', '[::1]:65535', '[fe80::1%eth0.7]:7070'])
      expect(formatAddress(parseAddress(address))).toBe(address)
    expect(parseAddress('[fe80::1%eth0]:7070')).toEqual({ host: 'fe80::1%eth0', port: 7070 })
  })

  it('is refused where host and port cannot be told apart, or are none', () => {
    for (const address of [
      'pi1',
      'pi1:65536',
      '::1:7070',
      '[::1]',
      '[pi1]:7070',
      '[fe80::1%]:7070',
      '[::1%a/b]:7070',
    ])
      expect(() => parseAddress(address)).toThrow(`'${address}' is no address: write host:port or [v6]:port`)
  })
})
