import { describe, expect, it } from 'vitest'
import { ValueError } from '@shoal/core'
import { parseArguments } from './arguments.ts'

describe('parseArguments', () => {
  it('gives defaults for what is left out', () => {
    expect(parseArguments({ epochs: 5, out: 'model' }, [])).toEqual({
      device: 'cpu',
      threads: 1,
      seed: 1,
      short: false,
      epochs: 5,
      out: 'model',
    })
  })

  it('lets an example change the defaults that all have', () => {
    expect(parseArguments({ threads: 2 }, []).threads).toBe(2)
  })

  it('reads each option as what its default is', () => {
    const read = parseArguments({ epochs: 5, out: 'model' }, ['--epochs', '2', '--short', '--out=7'])
    expect([read.epochs, read.short, read.out]).toEqual([2, true, '7'])
  })

  it('refuses words for numbers, and options that nobody knows', () => {
    expect(() => parseArguments({ epochs: 5 }, ['--epochs', 'many'])).toThrow(ValueError)
    expect(() => parseArguments({ epochs: 5 }, ['--epoch', '2'])).toThrow("Unknown option '--epoch'")
  })
})
