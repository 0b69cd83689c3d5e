// Points that keep their distance: as even as a grid, and good to stop at any number.
import { Random } from '../random.ts'
import type { Values } from '../space/space.ts'
import { decodeAll } from '../space/space.ts'
import type { Sampler, Search } from './sampler.ts'

/**
 * Halton's sequence with its digits permuted by chance: better spread than random numbers, in up to some twenty parameters.
 * Halton 1960; permutations as in Owen, A Randomized Halton Algorithm in R, 2017.
 */
export const quasiRandomSampler = (): Sampler => ({
  name: 'quasi-random',
  propose: (search) => ({ values: evenValues(search) }),
})

/** The values of a trial by its number in the sequence: how most searches begin. */
export const evenValues = ({ parameters, number, seed }: Search): Values =>
  decodeAll(parameters, (i) => haltonNumber(number, i, seed))

/** Number `index` of the sequence for parameter `axis`, from 0 to 1. */
export function haltonNumber(index: number, axis: number, seed: number): number {
  const base = prime(axis)
  let [result, weight, rest] = [0, 1 / base, index]
  // Zeros have digits that are permuted, too: the sequence goes on until they no longer show.
  for (let place = 0; weight > 2 ** -40; place++) {
    result += permutationOf(base, place, seed)[rest % base]! * weight
    rest = Math.floor(rest / base)
    weight /= base
  }
  return result
}

const permutations = new Map<string, readonly number[]>()

function permutationOf(base: number, place: number, seed: number): readonly number[] {
  const key = `${base} ${place} ${seed}`
  const known = permutations.get(key)
  if (known) return known
  const made = new Random(seed, base * 64 + place).shuffled(Array.from({ length: base }, (_, digit) => digit))
  permutations.set(key, made)
  return made
}

const primes = [2]

function prime(index: number): number {
  for (let n = primes.at(-1)! + 1; primes.length <= index; n++)
    if (primes.every((p) => n % p !== 0)) primes.push(n)
  return primes[index]!
}
