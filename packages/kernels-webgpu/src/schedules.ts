// What was measured to be fastest on an adapter: plain data, which a program may keep as JSON and give to the next device on that adapter.
import type { MatmulSchedule } from './kernels/matmul/schedule.ts'

/** Which adapter something was measured on, in its own words. */
export interface AdapterIdentity {
  readonly vendor: string
  readonly architecture: string
  readonly device: string
  readonly description: string
}

/** Schedules by kind of kernel and class of sizes. They decide how fast kernels are, and never what they compute but for the order of sums. */
export interface Schedules {
  readonly adapter: AdapterIdentity
  /** Of matrix products. */
  readonly matmul?: Readonly<Record<string, MatmulSchedule>>
}
