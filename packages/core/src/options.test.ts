import { describe, expect, it } from 'vitest'
import { checkOptions, optionRules, sayValue, Session, ValueError } from './index.ts'

describe('checkOptions', () => {
  interface Options {
    readonly size?: number
    readonly name?: string
    readonly parts?: readonly number[]
  }
  const check = (given: unknown): void =>
    checkOptions<Options>('make', given as Options, {
      size: optionRules.whole(1),
      name: optionRules.text,
      parts: optionRules.list('a list of numbers', (value) => typeof value === 'number'),
    })

  it('takes what fits, and what is left out', () => {
    for (const given of [{}, { size: 1 }, { size: undefined, name: 'a' }, { parts: [] }])
      expect(() => check(given)).not.toThrow()
  })

  it('names the options that there are', () => {
    const takes = 'make takes an object of options: size, name, parts; '
    const refused = (given: unknown, why: string) =>
      expect(() => check(given)).toThrow(new ValueError(takes + why))
    refused({ sizes: 1, size: 2 }, "there is no 'sizes'")
    refused({ sizes: 1, names: 2 }, "there is no 'sizes', no 'names'")
    refused({ toString: 1 }, "there is no 'toString'")
    refused(null, 'it was given null')
    refused([1], 'it was given [1]')
    refused('a', "it was given 'a'")
  })

  it('names an option, what was given, and what is wanted', () => {
    for (const size of [0, 1.5, Number.NaN, Infinity])
      expect(() => check({ size })).toThrow(`make: size must be a whole number from 1, got ${size}`)
    expect(() => check({ name: '' })).toThrow("make: name must be a string that is not empty, got ''")
    expect(() => check({ parts: [1, 'b'] })).toThrow("make: parts must be a list of numbers, got [1; 'b']")
  })
})

describe('sayValue', () => {
  it('is short, and says what was forgotten', () => {
    class Thing {}
    expect([cpu, Promise.resolve(1), new Thing(), {}, 5n, undefined].map(sayValue)).toEqual([
      'the function cpu, which was not called',
      'a promise, which was not awaited',
      'an object of class Thing',
      'an object',
      '5',
      'undefined',
    ])
    expect(sayValue('a'.repeat(1000)).length).toBeLessThan(70)
    expect(sayValue([1, 2, 3, 4, 5])).toBe('[1; 2; 3; 4; …]')
  })
})

/** Named as what people forget to call. */
function cpu(): void {}

describe('a session', () => {
  it('refuses options that there are not, or of another kind', () => {
    expect(() => new Session({ seed: 0.5 })).toThrow(ValueError)
    expect(() => new Session({ device: [] } as never)).toThrow(
      "maxPrograms, log, clock; there is no 'device'",
    )
    expect(() => new Session({ seed: '1' } as never)).toThrow("Session: seed must be a whole number, got '1'")
    expect(() => new Session({ fusion: 0 } as never)).toThrow('Session: fusion must be true or false, got 0')
    expect(() => new Session({ maxActivationBytes: Number.NaN } as never)).toThrow(
      'maxActivationBytes must be a number from 0, got NaN',
    )
    expect(() => new Session({ maxActivationBytes: -1 } as never)).toThrow(
      'maxActivationBytes must be a number from 0, got -1',
    )
    expect(() => new Session({ maxPrograms: 1.5 } as never)).toThrow(
      'maxPrograms must be a whole number from 0',
    )
    expect(() => new Session({ passes: [] } as never)).toThrow('passes must be a pass')
    expect(() => new Session({ log: 'out' } as never)).toThrow("log must be a function, got 'out'")
  })

  it('refuses devices that are none, and says what was forgotten', () => {
    const wanted = 'Session: devices must be a list of devices, as in [cpu()], got '
    expect(() => new Session({ devices: cpu } as never)).toThrow(
      `${wanted}the function cpu, which was not called`,
    )
    expect(() => new Session({ devices: [cpu] } as never)).toThrow(
      `${wanted}[the function cpu, which was not called]`,
    )
    expect(() => new Session({ devices: [Promise.resolve(1)] } as never)).toThrow(
      `${wanted}[a promise, which was not awaited]`,
    )
    expect(() => new Session({ devices: new Session().devices[0] } as never)).toThrow(
      `${wanted}an object of class `,
    )
    expect(() => new Session({ devices: ['cpu'] } as never)).toThrow(`${wanted}['cpu']`)
    expect(() => new Session({ devices: [] } as never)).toThrow('at least one device')
  })

  it('refuses options of a run that there are not', async () => {
    await using session = new Session()
    await expect(session.run([], [], { trace: () => {} } as never)).rejects.toThrow("there is no 'trace'")
    expect(() => session.runSync([], [], { onTrace: 5 } as never)).toThrow(
      'onTrace must be a function, got 5',
    )
  })
})
