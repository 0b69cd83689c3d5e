// Every fault that there is, in the order in which they are brought about.
import type { Fault } from '../survive.ts'
import { kills } from './kills.ts'
import { narrowLink, partition } from './partition.ts'
import { nothing } from './nothing.ts'
import { road } from './road.ts'
import { stops } from './stops.ts'

/** The faults. */
export const faults: readonly Fault[] = [nothing, kills, stops, partition, narrowLink, road]
