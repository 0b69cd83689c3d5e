import { describe, expect, expectTypeOf, it } from 'vitest'
import { Random } from '../random.ts'
import { categorical, float, int } from './domain.ts'
import type { ParamsOf } from './space.ts'
import { branch, decodeAll, encodeAll, parametersOf, toParams, toValues } from './space.ts'

const space = {
  rate: float(1e-5, 1, { log: true }),
  layers: int(1, 4),
  activation: categorical(['relu', 'tanh']),
  optimizer: branch({
    sgd: { momentum: float(0, 1), nesterov: categorical([true, false]) },
    adam: { schedule: branch({ none: {}, cosine: { steps: int(1, 9) } }) },
  }),
}
type Params = ParamsOf<typeof space>

describe('a space', () => {
  it('gives parameters their types', () => {
    expectTypeOf<Params['rate']>().toEqualTypeOf<number>()
    expectTypeOf<Params['activation']>().toEqualTypeOf<'relu' | 'tanh'>()
    expectTypeOf<Params['optimizer']['choice']>().toEqualTypeOf<'sgd' | 'adam'>()
    const read = ({ optimizer }: Params): number | string =>
      optimizer.choice === 'sgd' ? optimizer.momentum : optimizer.schedule.choice
    const params: Params = {
      rate: 1,
      layers: 2,
      activation: 'tanh',
      optimizer: { choice: 'adam', schedule: { choice: 'none' } },
    }
    expect(read(params)).toBe('none')
    // @ts-expect-error: a parameter of the other branch
    const other: Params['optimizer'] = { choice: 'adam', momentum: 1 }
    expect(() => toValues(space, { ...params, optimizer: other })).toThrow(
      "no parameter 'optimizer.adam.momentum'",
    )
    // @ts-expect-error: no choice of the space
    const unknown: Params['activation'] = 'gelu'
    expect(() => toValues(space, { ...params, activation: unknown })).toThrow('relu, tanh')
  })

  it('is a list of parameters, each after what it depends on', () => {
    expect(parametersOf(space).map(({ path, when }) => [path, when?.path, when?.is])).toEqual([
      ['rate', undefined, undefined],
      ['layers', undefined, undefined],
      ['activation', undefined, undefined],
      ['optimizer', undefined, undefined],
      ['optimizer.sgd.momentum', 'optimizer', 'sgd'],
      ['optimizer.sgd.nesterov', 'optimizer', 'sgd'],
      ['optimizer.adam.schedule', 'optimizer', 'adam'],
      ['optimizer.adam.schedule.cosine.steps', 'optimizer.adam.schedule', 'cosine'],
    ])
  })

  it('comes back from values, params and units, whatever is drawn', () => {
    const parameters = parametersOf(space)
    const random = new Random(3, 0)
    for (let i = 0; i < 100; i++) {
      const values = decodeAll(parameters, () => random.uniform())
      const params = toParams(space, values)
      expect(toValues(space, params)).toEqual(values)
      const units = encodeAll(parameters, values)
      expect(units.filter((unit) => unit !== undefined).length).toBe(Object.keys(values).length)
      const again = toParams(
        space,
        decodeAll(parameters, (at) => units[at]!),
      )
      expect(again.optimizer).toEqual(params.optimizer)
      expect(again.layers).toBe(params.layers)
      expect(again.rate).toBeCloseTo(params.rate, 12)
    }
  })

  it('refuses what does not fit, and says where', () => {
    const good = {
      rate: 0.1,
      layers: 2,
      activation: 'relu',
      optimizer: { choice: 'sgd', momentum: 0, nesterov: true },
    }
    expect(() => toValues(space, { ...good, layers: 9 })).toThrow(
      "'layers' cannot be 9: it is whole, from 1 to 4",
    )
    expect(() => toValues(space, { ...good, more: 1 })).toThrow("no parameter 'more'")
    expect(() => toValues(space, { ...good, optimizer: { choice: 'lion' } })).toThrow(
      'needs a choice of sgd, adam',
    )
    expect(() =>
      toValues(space, { ...good, optimizer: { choice: 'sgd', momentum: 2, nesterov: true } }),
    ).toThrow("'optimizer.sgd.momentum' cannot be 2")
    expect(() => parametersOf({})).toThrow('at least one parameter')
    expect(() => parametersOf({ 'a.b': int(0, 1) })).toThrow('dot')
    expect(() => branch({ a: { choice: int(0, 1) } })).toThrow('rename it')
  })
})
