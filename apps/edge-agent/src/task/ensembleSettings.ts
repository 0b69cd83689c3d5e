// What an ensemble is to be made of and how, as the flags of the command say it.
import { ValueError } from '@shoal/core'
import type { Json } from '../jobs/json.ts'

const combinations = ['mean', 'vote', 'weights', 'stacking'] as const

/** How members are combined: see `Combination` of @shoal/train. */
export type Combine = (typeof combinations)[number]

/** What an ensemble is made of. */
export type EnsembleSettings = { readonly combine: Combine } & (
  | {
      /** A search, the models of whose best trials are the members. */
      readonly of: string
      readonly best: number
    }
  | {
      /** So many members are trained. */
      readonly members: number
    }
)

/** Reads the settings of an ensemble. `combine` is `mean` and `best` is 3 by default. @throws ValueError saying what is wrong with which */
export function readEnsembleSettings(settings: Readonly<Record<string, Json>>): EnsembleSettings {
  const { of, best = 3, members, combine = 'mean' } = settings
  if (!combinations.includes(combine as Combine))
    throw new ValueError(`combine is ${JSON.stringify(combine)}; it is one of ${combinations.join(', ')}`)
  const how = { combine: combine as Combine }
  if (of !== undefined && members !== undefined)
    throw new ValueError(
      'an ensemble is of the trials of another job, or has members of its own: give `of` or `members`',
    )
  if (typeof of === 'string') return { ...how, of, best: counted('best', best) }
  if (members !== undefined) return { ...how, members: counted('members', members) }
  throw new ValueError(
    'say what the ensemble is made of: `of`, the id of a search, or `members`, how many to train',
  )
}

function counted(name: string, value: Json): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 1 && value <= 1000) return value
  throw new ValueError(`${name} is ${JSON.stringify(value)}; it is a whole number from 1 to 1000`)
}
