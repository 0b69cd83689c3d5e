// The arrangements by name.
import { allReduce } from './allReduce.ts'
import { asynchronous } from './asynchronous.ts'
import { layers } from './layers.ts'
import { synchronous } from './synchronous.ts'
import type { Arrangement } from './training.ts'

/** Every arrangement there is. */
export const arrangements: Readonly<Record<string, Arrangement>> = {
  asynchronous,
  synchronous,
  allReduce,
  layers,
}

/** The arrangement of a name; undefined where there is none. */
export const arrangementOf = (name: string): Arrangement | undefined =>
  Object.hasOwn(arrangements, name) ? arrangements[name] : undefined
