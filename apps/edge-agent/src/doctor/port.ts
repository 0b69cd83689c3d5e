// The port of the agent: do others get in there? Only they can tell.
import { asError, parseAddress } from '@shoal/distributed/peers'
import { problemOf } from '../discovery/problem.ts'
import { type Finding, findingsOn } from './finding.ts'
import { knock } from './knock.ts'
import type { Patient } from './patient.ts'

const { good, fault, unknown } = findingsOn('port')

const ownMs = 2000
const loopback = /^(127\.|\[::1\]|localhost)/

/** Examines the port from this machine, and has the neighbours examine it from theirs. */
export async function examinePort(patient: Patient): Promise<readonly Finding[]> {
  const { report } = patient
  if (!report) return [unknown('no agent answers whose port could be tried', 'shoal up')]
  const { address } = report.status
  const { port } = parseAddress(address)
  const own = report.nodes.find(({ state }) => state === 'self')?.addresses ?? []
  const closed = (await Promise.all(own.map((at) => tryOwn(patient, at)))).filter(
    (each) => each !== undefined,
  )
  if (closed.length > 0) return closed
  const found = report.neighbours.flatMap((neighbour) => (neighbour.tried.length > 0 ? [neighbour] : []))
  if (found.length === 0)
    return [
      loopback.test(address)
        ? unknown(
            `the agent listens at ${address}: no other machine gets in`,
            'if there are others: shoal up without --host',
          )
        : unknown(`no other node is connected that could try port ${port} of this machine`),
    ]
  const out = found.filter(({ tried }) => tried.every(({ problem }) => problem !== ''))
  const words = out.map(
    ({ nodeId, tried }) =>
      `'${nodeId}' tried ${tried.map((at) => `${at.address}: ${at.problem}`).join(', ')}`,
  )
  if (out.length === 0)
    return [good(`others get in at port ${port}: ${found.map(({ nodeId }) => `'${nodeId}'`).join(', ')}`)]
  if (out.length === found.length)
    return [
      fault(
        `no other node gets in at port ${port} of this machine. ${words.join('; ')}`,
        `let it through the firewall here: sudo ufw allow ${port}/tcp, or sudo firewall-cmd --permanent --add-port=${port}/tcp and --reload; then shoal up --port ${port} keeps that port`,
      ),
    ]
  return out.map(({ nodeId }, i) =>
    fault(
      `'${nodeId}' does not get in at port ${port} of this machine, and others do. ${words[i]}`,
      `see what is between the two: the firewall and the routes of '${nodeId}', or a network that keeps its guests apart`,
    ),
  )
}

async function tryOwn({ identity, means }: Patient, address: string): Promise<Finding | undefined> {
  const { credentials } = identity!.membership
  try {
    await knock(address, { credentials, deadlineMs: ownMs, clock: means.clock })
    return undefined
  } catch (error) {
    const { kind, message } = problemOf(error)
    // The port is open; what keeps them apart is found elsewhere.
    if (kind === 'tls') return undefined
    return fault(
      `this machine itself does not get in at ${address}: ${message} (${asError(error).message})`,
      'a firewall of this machine is in the way: sudo nft list ruleset shows its rules',
    )
  }
}
