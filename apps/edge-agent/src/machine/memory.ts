// How much memory there is, and how much of it is free: the machine's, or what a control group allows of it.
import { freemem, totalmem } from 'node:os'
import type { SystemFiles } from './systemFiles.ts'

/** What the system lets this process have of the machine. */
export interface Allowance {
  readonly cores: number
  /** Infinity where there is no limit. */
  readonly memoryBytes: number
  /** What is left of that. */
  readonly freeMemoryBytes: number
}

/** Memory, in bytes. */
export interface Memory {
  readonly bytes: number
  /** What a program can have without another one being pushed out: caches count as free. */
  readonly freeBytes: number
}

/** Reads `/proc/meminfo`, or asks Node where there is none, and heeds the allowance. */
export function readMemory(files: SystemFiles, { memoryBytes, freeMemoryBytes }: Allowance): Memory {
  const text = files.text('proc/meminfo') ?? ''
  const entry = (name: string): number | undefined => {
    const kibibytes = new RegExp(`^${name}: +(\\d+) kB$`, 'm').exec(text)?.[1]
    return kibibytes === undefined ? undefined : Number(kibibytes) * 1024
  }
  const bytes = entry('MemTotal') ?? totalmem()
  const freeBytes = Math.min(entry('MemAvailable') ?? freemem(), bytes)
  // What a group has left does not count the caches that it could give back: it is asked only where it is the narrower one.
  if (memoryBytes >= bytes) return { bytes, freeBytes }
  return { bytes: memoryBytes, freeBytes: Math.min(freeBytes, freeMemoryBytes) }
}
