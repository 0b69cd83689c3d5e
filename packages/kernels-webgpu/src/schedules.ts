// What was measured to be fastest on an adapter: plain data, which a program may keep as JSON and give to the next device on that adapter.
import { ValueError } from '@shoal/core'
import { isTiling, type Tiling } from './kernels/conv/schedule.ts'
import { isMatmulSchedule, type MatmulSchedule } from './kernels/matmul/schedule.ts'

/** Which adapter something was measured on, in its own words. */
export interface AdapterIdentity {
  readonly vendor: string
  readonly architecture: string
  readonly device: string
  readonly description: string
}

/** Schedules by kind of kernel and class of sizes. They decide how fast kernels are, and in which order they add, but not what they compute. */
export interface Schedules {
  readonly adapter: AdapterIdentity
  /** Of matrix products. */
  readonly matmul?: Readonly<Record<string, MatmulSchedule>>
  /** Of convolutions that run as products, and of their gradients. */
  readonly convolution?: Readonly<Record<string, Tiling>>
}

/** The kinds of kernels that have schedules, and whether a value is a schedule of that kind. */
const kinds = { matmul: isMatmulSchedule, convolution: isTiling } satisfies Record<
  ScheduleKind,
  (value: unknown) => boolean
>

/** A kind of kernels that have schedules. */
export type ScheduleKind = Exclude<keyof Schedules, 'adapter'>

const identityKeys = ['vendor', 'architecture', 'device', 'description'] as const

/** What an adapter says of itself. */
export const identityOf = ({
  vendor,
  architecture,
  device,
  description,
}: AdapterIdentity): AdapterIdentity => ({
  vendor,
  architecture,
  device,
  description,
})

/** @throws ValueError for what is not `Schedules`, or not of this adapter */
export function demandSchedules(value: unknown, adapter: AdapterIdentity): asserts value is Schedules {
  const given = value as Partial<Schedules> | null
  if (
    typeof given !== 'object' ||
    given === null ||
    typeof given.adapter !== 'object' ||
    given.adapter === null
  )
    throw new ValueError('schedules must be what measureSchedules answers, as an object')
  for (const [kind, isSchedule] of Object.entries(kinds)) {
    const table: unknown = given[kind as ScheduleKind] ?? {}
    const wrong =
      typeof table !== 'object' || Array.isArray(table)
        ? ['']
        : Object.entries(table!).find(([, s]) => !isSchedule(s))
    if (wrong)
      throw new ValueError(`schedules.${kind} is damaged${wrong[0] ? ` at '${wrong[0]}'` : ''}: measure anew`)
  }
  const differing = identityKeys.find((key) => given.adapter![key] !== adapter[key])
  if (differing)
    throw new ValueError(
      `schedules were measured on another adapter: its ${differing} is '${given.adapter[differing]}', that of this one is '${adapter[differing]}'; measure anew with measureSchedules`,
    )
}
