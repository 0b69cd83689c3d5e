// Every fault that there is, in the order in which they are brought about.
import type { Fault } from '../survive.ts'
import { allReduce, synchronous } from './arrangements.ts'
import { repeatedStep, vanishingClient } from './clients.ts'
import { clock } from './clock.ts'
import { damagedCheckpoint, fullDisk } from './disk.ts'
import { kills } from './kills.ts'
import { nothing } from './nothing.ts'
import { narrowLink, partition } from './partition.ts'
import { road } from './road.ts'
import { stops } from './stops.ts'
import { certificates, garbage, impostor } from './strangers.ts'

/** The faults. */
export const faults: readonly Fault[] = [
  nothing,
  kills,
  stops,
  synchronous,
  allReduce,
  partition,
  narrowLink,
  road,
  fullDisk,
  damagedCheckpoint,
  vanishingClient,
  repeatedStep,
  clock,
  certificates,
  impostor,
  garbage,
]
