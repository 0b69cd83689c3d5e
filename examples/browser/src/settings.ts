// What the address of the page decides: `?batch=32&seed=7` and the like, read once and handed to the worker whole.
import { ValueError } from '@shoal/core'

/** How the page trains. */
export interface Settings {
  /** `webgpu` falls back to the CPU where there is none. */
  readonly device: 'webgpu' | 'cpu'
  /** Threads of the CPU device. */
  readonly threads: number
  /** What the first weights, the order of the digits and dropout follow from. */
  readonly seed: number
  /** Digits a step. */
  readonly batch: number
  readonly epochs: number
  /** The learning rate. */
  readonly rate: number
  /** Digits to learn from. */
  readonly train: number
  /** Digits to be tested on. */
  readonly test: number
  /** Steps between two tests. */
  readonly testEvery: number
}

const atMost10000 = { least: 1, most: 10_000, whole: true } as const

/** The numbers with their defaults and bounds; there are 10,000 digits. */
const numbers = {
  threads: { byDefault: 4, least: 1, most: 64, whole: true },
  seed: { byDefault: 1, least: 0, most: 2 ** 31 - 1, whole: true },
  batch: { byDefault: 64, ...atMost10000 },
  epochs: { byDefault: 5, ...atMost10000 },
  rate: { byDefault: 0.001, least: 0, most: 1, whole: false },
  train: { byDefault: 9000, ...atMost10000, most: 9999 },
  test: { byDefault: 1000, ...atMost10000, most: 9999 },
  testEvery: { byDefault: 20, ...atMost10000 },
} as const

/** Reads the part of an address after `?`. What is left out has a default. @throws ValueError for unknown names and values out of range. */
export function readSettings(search: string): Settings {
  const given = new URLSearchParams(search)
  for (const name of given.keys())
    if (name !== 'device' && !Object.hasOwn(numbers, name))
      throw new ValueError(`?${name}= is unknown; there are device, ${Object.keys(numbers).join(', ')}`)
  const device = given.get('device') ?? 'webgpu'
  if (device !== 'webgpu' && device !== 'cpu')
    throw new ValueError(`?device= is webgpu or cpu, not '${device}'`)
  const read = (name: keyof typeof numbers) => readNumber(name, given.get(name))
  const [train, test] = [read('train'), read('test')]
  if (train + test > 10_000)
    throw new ValueError(`?train=${train} and ?test=${test} are more than the 10,000 digits that there are`)
  return {
    device,
    train,
    test,
    threads: read('threads'),
    seed: read('seed'),
    batch: read('batch'),
    epochs: read('epochs'),
    rate: read('rate'),
    testEvery: read('testEvery'),
  }
}

function readNumber(name: keyof typeof numbers, text: string | null): number {
  const { byDefault, least, most, whole } = numbers[name]
  if (text === null) return byDefault
  const value = Number(text)
  if (text.trim() !== '' && value >= least && value <= most && (!whole || Number.isInteger(value)))
    return value
  throw new ValueError(
    `?${name}= is a ${whole ? 'whole ' : ''}number from ${least} to ${most}, not '${text}'`,
  )
}
