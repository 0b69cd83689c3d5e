// Does the agent of this machine run, and does it answer?
import { type Finding, findingsOn, sizeOf, spanOf } from './finding.ts'
import type { Patient } from './patient.ts'

const { good, fault, unknown } = findingsOn('agent')

/** Examines the process of the agent. */
export function examineProcess(patient: Patient): readonly Finding[] {
  const { report, running, holder, silence, wasAnnounced } = patient
  if (report) {
    const { pid, address, residentBytes, uptimeMs } = report.status
    const since = `for ${spanOf(uptimeMs)}, with ${sizeOf(residentBytes)}`
    return [good(`it runs as process ${pid} at ${address} ${since}`)]
  }
  if (running)
    return [
      fault(
        `it runs as process ${running.pid}, and does not answer at ${running.address}: ${silence}`,
        `if the certificate and the clock are well, begin anew: kill ${running.pid}, and shoal up`,
      ),
    ]
  if (holder)
    return [
      fault(
        `process ${holder.pid} has the state folder and does not listen: it is starting, or waits until its certificate is valid`,
        'its log says what it waits for: journalctl --user -u shoal, or where it was started',
      ),
    ]
  return wasAnnounced
    ? [fault('it has ended without a word: it was killed, or has crashed', 'shoal up starts it again')]
    : [unknown('no agent runs on this machine: what it would say of others is not known', 'shoal up')]
}
