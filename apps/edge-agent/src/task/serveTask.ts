// The agent's end of the pipe: what a task asks for is checked, and done by the services that its job has here.
import { NDArray } from '@shoal/core'
import { type Clock, type Methods, pause, ProtocolError, serving } from '@shoal/distributed/peers'
import type { Socket } from 'node:net'
import * as calls from './calls.ts'
import type { Assignment, TaskEnd, TaskServices } from './services.ts'

/** What a task is told takes so many milliseconds at least: 12,800 numbers a second are enough for any chart. */
const tellMs = 20

/** Whom the calls of a task are served for. */
export interface Served {
  readonly assignment: Assignment
  readonly services: TaskServices
  readonly clock: Clock
  /** Hands a socket over to the task. */
  readonly handOver: (what: calls.HandedOver, socket: Socket) => void
  /** The program has ended, as the task says. */
  readonly ended: (end: TaskEnd) => void
}

const silent = { says: {}, tensors: [] }

/** What an agent serves to one task. */
export function taskMethods({ assignment, services, clock, handOver, ended }: Served): Methods {
  let told: Promise<void> = Promise.resolve()
  const tell = async (all: readonly calls.Told[]): Promise<void> => {
    for (const one of all) {
      if (one.kind === 'metrics') {
        const { kind: _, trial, ...metrics } = one
        services.report(trial === undefined ? metrics : { ...metrics, trial })
      } else {
        const { kind: _, value, ...trial } = one
        services.trialEnded(value === undefined ? trial : { ...trial, value })
      }
    }
    await pause(tellMs, clock)
  }
  return Object.fromEntries([
    serving(calls.assignmentCall, () => ({ says: { assignment }, tensors: [] })),
    serving(calls.readDocumentCall, async ({ says: { key, jobId } }, { signal }) => {
      const from = jobId === undefined ? { signal } : { jobId, signal }
      return { says: await services.readDocument(key, from), tensors: [] }
    }),
    serving(calls.writeDocumentCall, async ({ says }, { signal }) => {
      const version = await services.writeDocument(says, { signal })
      return { says: version === undefined ? {} : { version }, tensors: [] }
    }),
    serving(calls.putBlobCall, async ({ tensors: [blob] }, { signal }) => {
      if (blob?.dtype !== 'uint8') throw new ProtocolError('a blob is one tensor of uint8')
      return { says: { hash: await services.putBlob(blob.bytes, { signal }) }, tensors: [] }
    }),
    serving(calls.getBlobCall, async ({ says: { hash } }, { signal }) => {
      const bytes = await services.getBlob(hash, { signal })
      return { says: {}, tensors: [new NDArray('uint8', [bytes.length], bytes)] }
    }),
    serving(calls.tellCall, async ({ says }) => {
      told = told.then(() => tell(says.told))
      await told
      return silent
    }),
    serving(calls.connectCall, async ({ says: { task, stream } }, { signal }) => {
      handOver({ stream }, await services.connect(task, { signal }))
      return silent
    }),
    serving(calls.endedCall, ({ says }) => {
      ended(says.end)
      return silent
    }),
  ])
}
