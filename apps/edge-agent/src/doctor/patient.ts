// What examinations look at: this machine, the state folder, and what the agent and other nodes answer when they are asked once.
import { asError, type Clock, ValidityError } from '@shoal/distributed/peers'
import { rememberedMembers } from '../agent/door.ts'
import type { NeighbourReport } from '../api/doctor.ts'
import type { NodeView } from '../api/node.ts'
import { problemOf } from '../discovery/problem.ts'
import { findAgent, type RunningAgent } from '../identity/agentFile.ts'
import { lockHolder } from '../identity/folderLock.ts'
import { type Member, memberOf, type Membership, membershipSchema } from '../identity/membership.ts'
import { StateFolder } from '../identity/stateFolder.ts'
import type { SystemProcess } from '../identity/systemProcess.ts'
import { type Knock, knock } from './knock.ts'

/** What is handed over to examine with. */
export interface Means {
  /** The state folder of the node. */
  readonly folder: string
  /** Connects to the agent of this machine. Rejects where none answers. */
  readonly agent: () => Promise<AskedAgent>
  /** Milliseconds since 1970. */
  readonly today: () => number
  readonly clock: Clock
}

/** What the agent itself says. */
export interface AgentReport {
  /** Answers of `agent.status`. */
  readonly status: {
    readonly pid: number
    readonly address: string
    readonly uptimeMs: number
    readonly residentBytes: number
    readonly discoveryFaults: readonly string[]
  }
  /** Answers of `agent.nodes`: all nodes that it knows, itself first. */
  readonly nodes: readonly NodeView[]
  /** Answers of `doctor.survey`. */
  readonly neighbours: readonly NeighbourReport[]
}

/** An agent that can be asked. */
export interface AskedAgent extends AsyncDisposable {
  report(): Promise<AgentReport>
}

/** What came of knocking at one address. */
export interface Knocked {
  readonly address: string
  /** Undefined where nobody let the question pass. */
  readonly answer: Knock | undefined
  /** Why there is no answer. */
  readonly problem: string
  /** Is it because the certificate there is not valid by the clock of this machine? */
  readonly isUntimely: boolean
}

/** A node, as far as it can be seen from its machine. */
export interface Patient {
  readonly means: Means
  /** Who the node is; undefined where the folder does not say. */
  readonly identity: { readonly membership: Membership; readonly member: Member } | undefined
  /** What of the folder cannot be read; empty where all can be. */
  readonly damage: string
  /** The agent as the folder tells of it, if it still runs. */
  readonly running: RunningAgent | undefined
  /** Does the folder tell of an agent, be it running or not? */
  readonly wasAnnounced: boolean
  /** The process that has the folder. */
  readonly holder: SystemProcess | undefined
  /** Undefined where it does not answer. */
  readonly report: AgentReport | undefined
  /** Why it does not. */
  readonly silence: string
  /** Those of the cluster who are not connected, knocked at. */
  readonly knocks: readonly Knocked[]
}

const knockMs = 2500
const mostKnocks = 16

/** Looks at all that examinations look at; what cannot be seen is told in it. */
export async function admitPatient(means: Means): Promise<Patient> {
  const kept = await lookInto(means.folder)
  const { report, silence } = await consult(means)
  return { means, ...kept, report, silence, knocks: await knockAt(means, kept, report) }
}

type Kept = Pick<Patient, 'identity' | 'damage' | 'running' | 'wasAnnounced' | 'holder'> & {
  readonly members: readonly string[]
}

async function lookInto(path: string): Promise<Kept> {
  const found = {
    identity: undefined,
    running: undefined,
    wasAnnounced: false,
    holder: undefined,
    members: [],
  }
  let identity: Patient['identity']
  try {
    const folder = await StateFolder.existing(path)
    if (!folder) return { ...found, damage: '' }
    const membership = await folder.read('identity.json', membershipSchema)
    identity = membership && { membership, member: memberOf(membership.credentials) }
    return {
      identity,
      damage: '',
      running: await findAgent(folder),
      wasAnnounced: (await folder.names()).includes('agent.json'),
      holder: await lockHolder(folder),
      members: identity ? await rememberedMembers(folder, identity.member.clusterId) : [],
    }
  } catch (error) {
    return { ...found, identity, damage: asError(error).message }
  }
}

async function consult({ agent }: Means): Promise<Pick<Patient, 'report' | 'silence'>> {
  try {
    await using asked = await agent()
    return { report: await asked.report(), silence: '' }
  } catch (error) {
    return { report: undefined, silence: asError(error).message }
  }
}

/** Asks all who should be there, and are not connected, whether they would let this node in. */
async function knockAt(
  { clock, today }: Means,
  { identity, members }: Kept,
  report: AgentReport | undefined,
): Promise<readonly Knocked[]> {
  if (!identity) return []
  const { membership, member } = identity
  const others = (report?.nodes ?? []).filter(({ state }) => state !== 'self')
  const connected = others.flatMap(({ state, addresses }) => (state === 'trusted' ? addresses : []))
  const missed = others.flatMap(({ state, clusterId, addresses }) =>
    state !== 'trusted' && clusterId === member.clusterId ? addresses : [],
  )
  const addresses = new Set([...missed, ...members].filter((address) => !connected.includes(address)))
  return Promise.all(
    [...addresses].slice(0, mostKnocks).map(async (address): Promise<Knocked> => {
      try {
        const how = { credentials: membership.credentials, deadlineMs: knockMs, clock, today }
        return { address, answer: await knock(address, how), problem: '', isUntimely: false }
      } catch (error) {
        const isUntimely = (error as Error).cause instanceof ValidityError
        return { address, answer: undefined, problem: problemOf(error).message, isUntimely }
      }
    }),
  )
}
