// What people type, in flags and in the environment, as values.
import type { Json } from '@shoal/edge-agent/client'
import { UsageError } from '../errors.ts'

/** A whole number from `least` on: '4'. @throws UsageError. */
export const readCount =
  (what: string, least = 1) =>
  (text: string): number => {
    const value = Number(text)
    if (!/^[+-]?\d+$/.test(text.trim()) || value < least)
      throw new UsageError(`${what} is a whole number from ${least} on, not '${text}'`)
    return value
  }

/** A whole number, below zero too. @throws UsageError. */
export const readInteger = (what: string) => readCount(what, Number.MIN_SAFE_INTEGER)

/** 'worker=4,ps=1', 'worker=all', or '4' for as many workers. @throws UsageError. */
export function readTasks(text: string): Readonly<Record<string, number | 'all'>> {
  const entries = text.split(',').map((part) => {
    const [, job, count] = /^\s*(?:([a-z][a-z0-9_]*)\s*[=:]\s*)?(\d+|all)\s*$/.exec(part) ?? []
    if (count === undefined || count === '0')
      throw new UsageError(
        `'${part}' says of no job how many tasks it has`,
        'write --tasks worker=4,ps=1 or --tasks worker=all',
      )
    return [job ?? 'worker', count === 'all' ? count : Number(count)] as const
  })
  const twice = entries.find(([job], i) => entries.findIndex(([other]) => other === job) !== i)
  if (twice) throw new UsageError(`'${text}' names the job ${twice[0]} twice`)
  return Object.fromEntries(entries)
}

const unitBytes = { b: 0, k: 1, m: 2, g: 3, t: 4 } as const

/** '512MiB', '2G', '1.5 GiB': bytes, by powers of 1024. @throws UsageError. */
export function readBytes(text: string): number {
  const [, number, unit] = /^\s*(\d+(?:\.\d+)?)\s*([kmgtb])?(?:i?b)?\s*$/i.exec(text) ?? []
  if (number === undefined) throw new UsageError(`'${text}' is no amount of memory: write 512MiB or 2GiB`)
  return Math.round(Number(number) * 1024 ** unitBytes[(unit ?? 'b').toLowerCase() as keyof typeof unitBytes])
}

const unitMs = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const

/** '90s', '1.5h', '2d': milliseconds. @throws UsageError. */
export function readDuration(text: string): number {
  const [, number, unit] = /^\s*(\d+(?:\.\d+)?)\s*(ms|[smhd])\s*$/.exec(text) ?? []
  if (number === undefined) throw new UsageError(`'${text}' is no length of time: write 90s, 15m, 2h or 1d`)
  return Math.round(Number(number) * unitMs[unit as keyof typeof unitMs])
}

/** 'rate=0.1': a name and a value, which is JSON where it can be read as such and text otherwise. @throws UsageError. */
export function readSetting(text: string): readonly [string, Json] {
  const [name, value] = readPair(text, '--set rate=0.1')
  try {
    return [name, JSON.parse(value) as Json]
  } catch {
    return [name, value]
  }
}

/** 'mnist=./data': a name and a text. @throws UsageError. */
export function readPair(text: string, example: string): readonly [string, string] {
  const at = text.indexOf('=')
  if (at < 1) throw new UsageError(`'${text}' is no name with a value`, `write ${example}`)
  return [text.slice(0, at), text.slice(at + 1)]
}

/** 'a,b': each on its own, without what is empty. */
export const readList = (text: string): readonly string[] =>
  text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')

/** 'yes', 'true', '1', or their opposites. @throws UsageError. */
export function readYes(text: string): boolean {
  const said = text.trim().toLowerCase()
  if (['1', 'true', 'yes', 'on'].includes(said)) return true
  if (['0', 'false', 'no', 'off', ''].includes(said)) return false
  throw new UsageError(`'${text}' is neither yes nor no`)
}

/** 'batch=32,time=10': sizes by their names. @throws UsageError. */
export const readSizes = (text: string): Readonly<Record<string, number>> =>
  Object.fromEntries(
    readList(text).map((part) => {
      const [name, size] = readPair(part, '--sizes batch=32')
      return [name, readCount(`the size of '${name}'`, 0)(size)]
    }),
  )

/** What a flag that may be given again has been given so far. */
export const again = (text: string, before: readonly string[] = []): readonly string[] => [...before, text]
