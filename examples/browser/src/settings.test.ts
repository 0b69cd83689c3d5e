import { ValueError } from '@shoal/core'
import { describe, expect, it } from 'vitest'
import { readSettings } from './settings.ts'

describe('readSettings', () => {
  it('gives defaults for what is left out', () => {
    expect(readSettings('')).toMatchObject({
      device: 'webgpu',
      batch: 64,
      rate: 0.001,
      train: 9000,
      test: 1000,
    })
  })

  it('reads what the address says', () => {
    expect(readSettings('?device=cpu&batch=8&rate=0.01')).toMatchObject({
      device: 'cpu',
      batch: 8,
      rate: 0.01,
    })
  })

  it.each([
    ['?batch=0', 'whole number from 1 to 10000'],
    ['?batch=', "not ''"],
    ['?batch=2.5', "not '2.5'"],
    ['?rate=fast', 'number from 0 to 1'],
    ['?device=abacus', 'webgpu or cpu'],
    ['?learning=1', 'unknown'],
    ['?train=9500', 'more than the 10,000 digits'],
  ])('refuses %s', (search, message) => {
    expect(() => readSettings(search)).toThrow(ValueError)
    expect(() => readSettings(search)).toThrow(message)
  })
})
