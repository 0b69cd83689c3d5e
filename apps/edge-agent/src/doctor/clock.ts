// The clock: certificates are good from some moment to another, and every machine looks at its own clock for that.
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { validityOf } from '../identity/membership.ts'
import { type Finding, findingsOn, momentOf, spanOf } from './finding.ts'
import type { Patient } from './patient.ts'

const { good, fault, unknown } = findingsOn('clock')

/** A certificate is good from five minutes before it is made: clocks that are nearer keep nobody out, and yet something is wrong with them. */
const toleratedMs = 30_000

const set = 'sudo timedatectl set-ntp true sets the clock from the network, and date shows it'

/** Examines the clock of this machine against what was written down, and against the clocks of the others. */
export async function examineClock(patient: Patient): Promise<readonly Finding[]> {
  const now = patient.means.today()
  const past = await latestRecord(patient)
  if (past && now < past.at - toleratedMs)
    return [
      fault(`this machine says that it is ${momentOf(now)}, and ${past.what} ${momentOf(past.at)}`, set),
    ]
  const untimely = patient.knocks.filter(({ isUntimely }) => isUntimely)
  if (untimely.length > 0)
    return untimely.map(({ problem }) =>
      fault(`this machine says that it is ${momentOf(now)}. ${problem}`, `on the one that is wrong: ${set}`),
    )
  const others = clocksOf(patient)
  if (others.length === 0)
    return [unknown(`it is ${momentOf(now)}, and there is no other node to compare that with`)]
  const off = others.filter(({ aheadMs }) => Math.abs(aheadMs) > toleratedMs)
  if (off.length === 0) return [good(`it is ${momentOf(now)}, as ${others.map(named).join(', ')} says too`)]
  // Where more than one says the same, it is this clock.
  if (others.length > 1 && off.length === others.length)
    return [fault(`the clock of this machine is off: ${off.map(differenceOf).join(', ')}`, set)]
  return off.map((other) =>
    fault(
      `the clocks of this machine and of ${named(other)} are apart: ${differenceOf(other)}`,
      others.length > 1 ? `on ${named(other)}: ${set}` : `on the one that is wrong: ${set}`,
    ),
  )
}

interface OtherClock {
  readonly nodeId: string
  readonly aheadMs: number
}

/** The latest moment that has certainly been: this machine knows of it. */
async function latestRecord({ identity, means }: Patient) {
  const written = await stat(join(means.folder, 'identity.json')).catch(() => undefined)
  const records = [
    ...(identity
      ? [{ at: validityOf(identity.membership.credentials).from, what: 'its certificate was made at' }]
      : []),
    ...(written ? [{ at: written.mtimeMs, what: 'a file of its state folder was written at' }] : []),
  ]
  return records.toSorted((a, b) => b.at - a.at)[0]
}

function clocksOf({ report, knocks }: Patient): readonly OtherClock[] {
  const asked = report?.neighbours.filter(({ problem }) => problem === '') ?? []
  return [...asked, ...knocks.flatMap(({ answer }) => answer ?? [])].filter(
    ({ nodeId }, i, all) => all.findIndex((other) => other.nodeId === nodeId) === i,
  )
}

const named = ({ nodeId }: OtherClock): string => `'${nodeId}'`
const differenceOf = ({ nodeId, aheadMs }: OtherClock): string =>
  `'${nodeId}' is ${spanOf(Math.abs(aheadMs))} ${aheadMs > 0 ? 'ahead' : 'behind'}`
