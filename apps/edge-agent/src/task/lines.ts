// What a process writes, as lines: long ones are cut, a flood is held back and thinned out, and both are said.
import type { Clock } from '@shoal/distributed/peers'
import type { Readable } from 'node:stream'
import { stripVTControlCharacters } from 'node:util'

/** How much is taken. */
export interface LineLimits {
  /** Characters of a line. Default 8192. */
  readonly lineLength?: number
  /** Lines in each second; others are left out. Default 500. */
  readonly linesPerSecond?: number
  /** Characters that are read in each second; then the writer waits. Default 1 Mi. */
  readonly charactersPerSecond?: number
}

const secondMs = 1000
/** All but the tab. What a task writes comes to people's terminals, which obey such characters. */
// oxlint-disable-next-line no-control-regex -- they are what is looked for
const controls = /[\0-\b\n-\x1f\x7f-\x9f]/g
const plain = (line: string): string => stripVTControlCharacters(line).replace(controls, '')

/** Calls `take` with each line of a stream until it ends. The last one need not be ended by a line feed. */
export function eachLine(
  stream: Readable,
  clock: Clock,
  take: (line: string) => void,
  { lineLength = 8192, linesPerSecond = 500, charactersPerSecond = 2 ** 20 }: LineLimits = {},
): void {
  /** The line that has not ended yet, not more of it than is wanted. */
  let begun = ''
  let [lines, characters, leftOut] = [0, 0, 0]
  let disarm: (() => void) | undefined

  const end = (): void => {
    if (++lines > linesPerSecond) leftOut++
    else take(begun.length > lineLength ? `${plain(begun.slice(0, lineLength))}… (cut)` : plain(begun))
    begun = ''
  }
  const nextSecond = (): void => {
    disarm = undefined
    if (leftOut > 0) take(`… ${leftOut} lines left out: more than ${linesPerSecond} in a second`)
    lines = characters = leftOut = 0
    stream.resume()
  }
  stream.setEncoding('utf8')
  stream.on('data', (text: string) => {
    disarm ??= clock.after(secondMs, nextSecond)
    characters += text.length
    if (characters >= charactersPerSecond) stream.pause()
    for (let at = 0; at < text.length; ) {
      const feed = text.indexOf('\n', at)
      const to = feed < 0 ? text.length : feed
      begun += text.slice(at, Math.min(to, at + lineLength + 1 - begun.length))
      at = to + 1
      if (feed >= 0) end()
    }
  })
  stream.once('end', () => {
    if (begun) end()
    disarm?.()
    if (leftOut > 0) nextSecond()
  })
  // A stream that breaks has ended: the process is gone.
  stream.on('error', () => undefined)
}
