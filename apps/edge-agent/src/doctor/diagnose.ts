// The whole examination: the folder before anything opens it, one look at what others answer, and then all the rest at once.
import { asError } from '@shoal/distributed/peers'
import { examineCertificate } from './certificate.ts'
import { examineClock } from './clock.ts'
import { examineEngine } from './engine.ts'
import { type Finding, findingsOn, type Subject, subjects } from './finding.ts'
import { examineFolder } from './folder.ts'
import { examineGpu } from './gpu.ts'
import { examineMulticast } from './multicast.ts'
import { examineNeighbours } from './neighbours.ts'
import { admitPatient, type Means, type Patient } from './patient.ts'
import { examinePort } from './port.ts'
import { examineProcess } from './process.ts'

type Examination = (patient: Patient) => readonly Finding[] | Promise<readonly Finding[]>

const examinations: Readonly<Record<Exclude<Subject, 'folder'>, Examination>> = {
  node: () => examineEngine(),
  agent: examineProcess,
  certificate: examineCertificate,
  clock: examineClock,
  multicast: examineMulticast,
  port: examinePort,
  neighbours: examineNeighbours,
  gpu: () => examineGpu(),
}

/**
 * Examines the node of a state folder, on its own machine, in about five seconds. With its agent running it finds more.
 * @param only what is examined besides the folder. Default: everything.
 * @returns what was found, in the order of `subjects`.
 */
export async function diagnose(
  means: Means,
  only: readonly Subject[] = subjects,
): Promise<readonly Finding[]> {
  const folder = await examined('folder', () => examineFolder(means.folder))
  const patient = await admitPatient(means)
  const rest = await Promise.all(
    Object.entries(examinations)
      .filter(([subject]) => only.includes(subject as Subject))
      .map(([subject, examine]) => examined(subject as Subject, () => examine(patient))),
  )
  const all = [...folder, ...rest.flat()]
  return subjects.flatMap((subject) => all.filter((finding) => finding.subject === subject))
}

/** An examination that fails is a finding too. */
async function examined(
  subject: Subject,
  examine: () => readonly Finding[] | Promise<readonly Finding[]>,
): Promise<readonly Finding[]> {
  try {
    return await examine()
  } catch (error) {
    return [findingsOn(subject).unknown(`it could not be examined: ${asError(error).message}`)]
  }
}
