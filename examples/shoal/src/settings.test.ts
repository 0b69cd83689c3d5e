import { ValueError } from '@shoal/core'
import { describe, expect, it } from 'vitest'
import { settingsOf } from './settings.ts'

describe('settingsOf', () => {
  it('puts what the job was told over the defaults', () => {
    const defaults = settingsOf({ settings: {} })
    expect(settingsOf({ settings: { epochs: 2, trials: 8 } })).toEqual({ ...defaults, epochs: 2 })
  })

  it('refuses what cannot be counted', () => {
    for (const sample of [0, 1.5, '640', null])
      expect(() => settingsOf({ settings: { sample } })).toThrow(ValueError)
  })
})
