// How a task ended, made out from what it said, what its process left behind, and what its agent did to it.
import { tooMuchMemory } from './limits.ts'
import type { TaskEnd } from './services.ts'

/** All that is known when the process is gone. */
export interface Evidence {
  /** What the task said of its end, if it came to that. */
  readonly told: TaskEnd | undefined
  /** Why its agent has ended it, if it has. */
  readonly fault: string | undefined
  readonly code: number | null
  readonly signal: string | null
  /** The last lines of what it wrote as errors. */
  readonly errors: readonly string[]
  readonly memoryBytes: number
}

/** A top-level await that nothing can settle. */
const unsettledCode = 13

/** How a task ended. */
export function verdictOf({ told, fault, code, signal, errors, memoryBytes }: Evidence): TaskEnd {
  if (fault !== undefined) return failed(fault)
  if (told) return told
  if (
    errors.some((line) => /heap out of memory|Array buffer allocation failed|Zone.*out of memory/i.test(line))
  )
    return failed(tooMuchMemory(memoryBytes))
  if (code === unsettledCode)
    return failed('it waits for something that never comes: an await that nothing can settle')
  if (code === 0) return failed('its process ended before its program had: who calls process.exit?')
  const words = errors.filter((line) => line && !line.startsWith('Node.js v')).join('\n')
  const how = signal ? `its process was ended by ${signal}` : `its process ended with code ${code}`
  return failed(words ? `${how}:\n${words}` : how)
}

const failed = (message: string): TaskEnd => ({ kind: 'failed', message })
