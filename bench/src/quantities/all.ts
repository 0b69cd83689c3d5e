// Everything that is no comparison of one work.
import type { Quantity } from '../quantity.ts'
import { compileTimes, firstRun } from './compile.ts'
import { fashionMnist } from './fashion.ts'
import { stepMemory } from './memory.ts'
import { coldStart } from './start.ts'
import { regionCosts } from './threads.ts'

/** By the names under which the command line asks for them. */
export const measurements: ReadonlyMap<string, () => Promise<Quantity[]>> = new Map([
  ['cold-start', coldStart],
  ['compile', compileTimes],
  ['first-run', firstRun],
  ['step-memory', stepMemory],
  ['regions', regionCosts],
  ['fashion-mnist', fashionMnist],
])
