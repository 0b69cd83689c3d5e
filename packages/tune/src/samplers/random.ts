// Chance: each parameter on its own, whatever came before.
import { decodeAll } from '../space/space.ts'
import type { Sampler } from './sampler.ts'

/** Draws every parameter by chance. What other samplers are measured by, and hard to beat in parallel where each trial is short. */
export const randomSampler = (): Sampler => ({
  name: 'random',
  propose: ({ parameters, random }) => ({ values: decodeAll(parameters, () => random.uniform()) }),
})
