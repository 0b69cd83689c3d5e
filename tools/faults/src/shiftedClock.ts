// Loaded before everything else: the time of day is as many milliseconds off as a file says, in every thread of the process.
import { readFileSync } from 'node:fs'

const RealDate = Date
let offsetMs = 0
let lookedAt = -Infinity

function shiftedNow(): number {
  const now = performance.now()
  if (now - lookedAt > 20) {
    lookedAt = now
    offsetMs = Number(readFileSync(process.env['SHOAL_CLOCK_OFFSET']!, 'utf8'))
  }
  return RealDate.now() + offsetMs
}

globalThis.Date = new Proxy(RealDate, {
  construct: (_, args: unknown[]) =>
    args.length === 0 ? new RealDate(shiftedNow()) : Reflect.construct(RealDate, args),
  get: (target, key) => (key === 'now' ? shiftedNow : Reflect.get(target, key)),
})
