// The agent's part in an examination: it goes to those who ask whether they can be got to, and asks its own neighbours that.
import {
  asError,
  callMethod,
  type Clock,
  type Credentials,
  type Handler,
  LimitError,
  serving,
} from '@shoal/distributed/peers'
import type { Neighbour, Neighbours } from '../agent/neighbours.ts'
import * as api from '../api/doctor.ts'
import { Allowance } from '../discovery/allowance.ts'
import { problemOf } from '../discovery/problem.ts'
import { knock } from './knock.ts'

/** What the methods are served from. */
export interface DoctorMeans {
  readonly credentials: Credentials
  readonly neighbours: () => Pick<Neighbours, 'get' | 'present' | 'addressesTo'>
  readonly clock: Clock
  /** Milliseconds since 1970. */
  readonly today: () => number
}

/** Of one attempt; a firewall that drops what comes is not told from a slow network sooner. */
const attemptMs = 2500
const answerMs = 5000
/** Of one asker, and of all neighbours. */
const [mostAddresses, mostNeighbours] = [8, 32]

/** The methods of `api/doctor.ts`. */
export function doctorMethods({
  credentials,
  neighbours,
  clock,
  today,
}: DoctorMeans): Readonly<Record<string, Handler>> {
  const allowance = new Allowance(clock, 1, 8)

  const tryAddress = async (nodeId: string, address: string, signal: AbortSignal) => {
    try {
      const found = await knock(address, { credentials, deadlineMs: attemptMs, clock, signal })
      const isOther = found.nodeId !== nodeId
      return { address, problem: isOther ? `'${found.nodeId}' is there, another node` : '' }
    } catch (error) {
      return { address, problem: problemOf(error).message.slice(0, 1000) }
    }
  }

  const ask = async (
    { nodeId, connection }: Neighbour,
    signal: AbortSignal,
  ): Promise<api.NeighbourReport> => {
    const sentAt = today()
    try {
      const { says } = await callMethod(connection, api.reach, {}, { deadlineMs: answerMs, signal })
      return { nodeId, problem: '', aheadMs: says.now - sentAt, tried: says.tried }
    } catch (error) {
      signal.throwIfAborted()
      return { nodeId, problem: asError(error).message, aheadMs: 0, tried: [] }
    }
  }

  return Object.fromEntries([
    serving(api.reach, async (_, { peer: { node }, signal }) => {
      const now = today()
      if (!allowance.take()) throw new LimitError('too many ask to be got to: ask again in a few seconds')
      const told = neighbours().addressesTo(node)
      const addresses = [...new Set(told)].slice(0, mostAddresses)
      const tried = await Promise.all(addresses.map((address) => tryAddress(node, address, signal)))
      return { says: { now, tried }, tensors: [] }
    }),
    serving(api.survey, async (_, { signal }) => {
      const asked = neighbours().present.slice(0, mostNeighbours)
      return { says: { neighbours: await Promise.all(asked.map((each) => ask(each, signal))) }, tensors: [] }
    }),
  ])
}
