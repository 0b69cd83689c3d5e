// The self-test as its caller sees it: another process measures for half a second, and says what it found.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { ShoalError } from '@shoal/core'
import { type Clock, DeadlineError, systemClock } from '@shoal/distributed/peers'
import { z } from 'zod'
import { speedSchema } from './inventory.ts'

/** What a self-test finds. */
export const selfTestSchema = z.object({
  speed: speedSchema,
  /** The names of GPU adapters that WebGPU offers; those that compute on the processor only where VK_DRIVER_FILES or VK_ICD_FILENAMES asks for them. */
  adapters: z.array(z.string().max(200)).max(8),
})
/** What a self-test finds. */
export type SelfTest = z.infer<typeof selfTestSchema>

/** A line of what the process prints: what it has found so far, the speed first, since a driver may end the process. */
const lineSchema = selfTestSchema.partial()
/** A line of what the process prints. */
export type SelfTestLine = z.infer<typeof lineSchema>

/** A self-test that came to no result. */
export class SelfTestError extends ShoalError {
  override readonly name = 'SelfTestError'
}

/** How the self-test is run. */
export interface SelfTestOptions {
  /** Told in words of what was found wrong, where there is a result all the same. */
  readonly log: (line: string) => void
  readonly signal?: AbortSignal | undefined
  /** Default: the system's. */
  readonly clock?: Clock
  /** Milliseconds until it is ended: it is the last of all programs, and a busy machine may let it wait. Default 60,000. */
  readonly deadlineMs?: number
  /** The program that measures. Default: Shoal's own. */
  readonly program?: URL
}

// Sources run as they are; what is published has been compiled.
const beside = import.meta.url.endsWith('.ts') ? './selfTestProcess.ts' : './selfTestProcess.js'

/**
 * Measures this machine in a process of its own with the lowest priority: about a second, half of which is measuring.
 * @throws SelfTestError where the process ends without a result, DeadlineError where it takes too long, the reason of the signal.
 */
export async function runSelfTest(options: SelfTestOptions): Promise<SelfTest> {
  const { log, signal, clock = systemClock, deadlineMs = 60_000, program } = options
  signal?.throwIfAborted()
  const flags = process.execArgv.filter((flag) => flag.startsWith('--conditions='))
  const file = fileURLToPath(program ?? new URL(beside, import.meta.url))
  const child = spawn(process.execPath, [...flags, file], { stdio: ['ignore', 'pipe', 'pipe'] })
  let stopped: unknown
  const stop = (reason: unknown): void => {
    stopped ??= reason
    child.kill('SIGKILL')
  }
  const withdraw = (): void => stop(signal!.reason)
  signal?.addEventListener('abort', withdraw, { once: true })
  const disarm = clock.after(deadlineMs, () =>
    stop(new DeadlineError(`the self-test was not done after ${deadlineMs} ms, and was ended`)),
  )
  let said, complaint, code, killedBy
  try {
    ;[said, complaint, [code, killedBy]] = await Promise.all([
      text(child.stdout),
      text(child.stderr),
      once(child, 'close'),
    ])
  } finally {
    disarm()
    signal?.removeEventListener('abort', withdraw)
  }
  if (stopped !== undefined) throw stopped
  const found = read(said)
  const how = `ended with ${killedBy ?? code}: ${lastLine(complaint) || 'it said nothing'}`
  if (!found.speed) throw new SelfTestError(`the self-test of this machine ${how}`)
  if (!found.adapters) log(`no GPU is offered: the program that looked for one ${how}`)
  return { speed: found.speed, adapters: found.adapters ?? [] }
}

function read(said: string): SelfTestLine {
  const lines = said.split('\n').filter((line) => line.startsWith('{'))
  try {
    return Object.assign({}, ...lines.map((line) => lineSchema.parse(JSON.parse(line)))) as SelfTestLine
  } catch (cause) {
    throw new SelfTestError(`the self-test of this machine said what it should not: ${said}`, { cause })
  }
}

const lastLine = (written: string): string => written.trim().split('\n').at(-1)!
