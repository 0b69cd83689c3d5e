// How variables are dealt out to parameter servers. Every replica must come to the same answers by itself.
import type { NewVariable } from '@shoal/core'
import { dtypes, isConcrete, ShapeError, sizeOf, streamSeed } from '@shoal/core'

/** Which of the parameter servers, counted from 0, a variable is put on. Asked once for each variable, in the order of declaration. */
export type PsStrategy = (variable: NewVariable) => number

/** One after the other: replicas have to declare the same variables in the same order. */
export function roundRobin(servers: number): PsStrategy {
  let next = 0
  return () => next++ % servers
}

/**
 * To the one that has least so far; of equals, to the first. Replicas have to declare the same variables in the same order.
 * @param load what a variable adds to the load of its server. Default: its bytes.
 */
export function byBytes(servers: number, load: (variable: NewVariable) => number = bytesOf): PsStrategy {
  const loads = new Array<number>(servers).fill(0)
  return (variable) => {
    const least = loads.indexOf(Math.min(...loads))
    loads[least]! += load(variable)
    return least
  }
}

/** To one that only the name decides: it does not matter what else is declared, and in what order. */
export function byName(servers: number): PsStrategy {
  // The high bits of the hash depend on all letters; its lowest bit only on the lowest bits of each.
  return ({ name }) => Math.floor((streamSeed({ kind: 'random', name }) / 2 ** 32) * servers)
}

function bytesOf({ name, type }: NewVariable): number {
  if (isConcrete(type.shape)) return sizeOf(type.shape) * dtypes[type.dtype].bytes
  throw new ShapeError(`variable '${name}' has no known size: a variable needs one`)
}
