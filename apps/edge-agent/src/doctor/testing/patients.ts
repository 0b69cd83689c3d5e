// Patients as examinations see them, made up: a worker with one neighbour that is well, and what a test says is otherwise.
import { ClusterAuthority, systemClock } from '@shoal/distributed/peers'
import type { NodeView } from '../../api/node.ts'
import { memberOf } from '../../identity/membership.ts'
import type { AgentReport, Patient } from '../patient.ts'

const hour = 3_600_000

/** When the certificate of the patient begins, in milliseconds since 1970; it is good for a day. */
export const begin = Date.UTC(2026, 10, 20)
const authority = await ClusterAuthority.create({ from: new Date(begin - hour) })
const credentials = await authority.issue({ node: 'pi1', role: 'worker', from: new Date(begin) })

/** A node of the patient's cluster. */
export const node = (nodeId: string, changes: Partial<NodeView> = {}): NodeView => ({
  nodeId,
  clusterId: authority.cluster,
  role: 'manager',
  state: 'trusted',
  addresses: [`10.0.0.${nodeId.slice(2)}:7070`],
  problem: '',
  version: '0.1.0',
  ...changes,
})

/** What the agent says: of one other node, that is connected and gets in. */
export const report = (changes: Partial<AgentReport> = {}): AgentReport => ({
  status: {
    pid: 77,
    address: '[::]:7070',
    uptimeMs: 3 * hour,
    residentBytes: 2 ** 26,
    discoveryFaults: [],
  },
  nodes: [node('pi1', { state: 'self', role: 'worker', addresses: [] }), node('pi2')],
  neighbours: [neighbour('pi2')],
  ...changes,
})

/** What a neighbour says that gets in, and whose clock is right. */
export const neighbour = (
  nodeId: string,
  changes: Partial<AgentReport['neighbours'][number]> = {},
): AgentReport['neighbours'][number] => ({
  nodeId,
  problem: '',
  aheadMs: 3,
  tried: [{ address: '10.0.0.1:7070', problem: '' }],
  ...changes,
})

/** A patient an hour after its certificate began. */
export const patient = (changes: Partial<Patient> = {}, now = begin + hour): Patient => ({
  means: {
    folder: '/nowhere',
    agent: () => Promise.reject(new Error('nobody asks it here')),
    today: () => now,
    clock: systemClock,
  },
  identity: { membership: { credentials }, member: memberOf(credentials) },
  damage: '',
  running: undefined,
  wasAnnounced: false,
  holder: undefined,
  report: report(),
  silence: '',
  knocks: [],
  ...changes,
})
