// The certificate by which others know this node: is it there, valid, renewed in time, and would they still let it in?
import { type Finding, findingsOn, momentOf, spanOf } from './finding.ts'
import { validityOf } from '../identity/membership.ts'
import type { Patient } from './patient.ts'

const { good, fault, unknown } = findingsOn('certificate')

/** The part of its life after which a certificate is renewed, and the part after which it should have been. */
const [renewalPart, latePart] = [2 / 3, 3 / 4]

/** Examines the certificate. */
export function examineCertificate(patient: Patient): readonly Finding[] {
  const { identity, damage } = patient
  if (!identity) {
    if (damage === '')
      return [unknown('this node has none yet: it gets one with its first start', 'shoal up')]
    return [fault(damage, 'restore the file from a copy, or move the folder away and join the cluster again')]
  }
  const { nodeId, clusterId, role } = identity.member
  const who = `${role} '${nodeId}' of cluster ${clusterId.slice(0, 12)}`
  const found = [
    ...(damage === '' ? [] : [fault(damage, 'restore the file from a copy, or move it away')]),
    ...refusals(patient),
    ...life(patient),
  ]
  const { to } = validityOf(identity.membership.credentials)
  return found.length > 0 ? found : [good(`${who}, valid until ${momentOf(to)}`)]
}

/** What others say of it who would not let it in. */
function refusals({ knocks }: Patient): readonly Finding[] {
  const said = new Map(
    knocks.flatMap(({ answer }) => (answer?.refused ? [[answer.nodeId, answer.refused] as const] : [])),
  )
  return [...said].map(([nodeId, refused]) =>
    fault(
      `'${nodeId}' does not let this node in: ${refused}`,
      /was removed/.test(refused)
        ? "ask for a new code on a manager (shoal invite), and shoal join CODE --name NAME here; or shoal leave, to be a cluster of one's own"
        : 'shoal down and shoal up here have it renewed; see what is said about the clock',
    ),
  )
}

function life({ identity, means, report, knocks }: Patient): readonly Finding[] {
  const { membership, member } = identity!
  const { from, to } = validityOf(membership.credentials)
  const now = means.today()
  const renews = whoRenews(member.role, report, knocks)
  if (now < from)
    return [
      fault(
        `it is valid from ${momentOf(from)} on, and this machine says that it is ${momentOf(now)}`,
        'set the clock: sudo timedatectl set-ntp true',
      ),
    ]
  if (now > to)
    return [fault(`it has ended ${spanOf(now - to)} ago, at ${momentOf(to)}`, remedyOf(report, renews))]
  if (now > from + (to - from) * latePart)
    return [
      fault(
        `it ends in ${spanOf(to - now)}, and was not renewed when it was due, at ${momentOf(from + (to - from) * renewalPart)}`,
        remedyOf(report, renews),
      ),
    ]
  return renews || !report
    ? []
    : [
        unknown(
          `it ends in ${spanOf(to - now)}, and no manager is connected who could renew it`,
          'start a node that is a manager: shoal nodes shows their roles',
        ),
      ]
}

/** Is there somebody who can sign the next one? */
const whoRenews = (role: string, report: Patient['report'], knocks: Patient['knocks']): boolean =>
  role === 'manager' ||
  (report?.nodes.some((node) => node.state === 'trusted' && node.role === 'manager') ?? false) ||
  knocks.some(({ answer }) => answer !== undefined)

const remedyOf = (report: Patient['report'], renews: boolean): string => {
  if (!report) return 'start the agent, which renews it: shoal up'
  return renews
    ? 'the log of the agent says why it was not renewed; begin it anew: shoal down, and shoal up'
    : 'no manager is connected: start one, or join again with a code that a manager makes (shoal invite)'
}
