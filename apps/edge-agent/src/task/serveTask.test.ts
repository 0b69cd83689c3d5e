// What a task may say to its agent, and what is refused before anybody acts on it.
import { NDArray } from '@shoal/core'
import { connectSocket, type Connection, systemClock } from '@shoal/distributed/peers'
import { afterAll, describe, expect, it } from 'vitest'
import { peerNamed, pipeFrames } from './calls.ts'
import { taskMethods } from './serveTask.ts'
import type { TaskEnd } from './services.ts'
import { SocketPairs } from './socketPairs.ts'
import { RecordedServices, someAssignment } from './testing/launching.ts'

const pairs = await SocketPairs.open()
const deadlineMs = 5000
const services = new RecordedServices()
const ends: TaskEnd[] = []
const [task, agent] = (await Promise.all(
  (
    await pairs.pair()
  ).map((socket) => connectSocket(socket, peerNamed('agent', 'here'), { deadlineMs, frames: pipeFrames })),
)) as [Connection, Connection]
agent.serve(
  taskMethods({
    assignment: someAssignment,
    services,
    clock: systemClock,
    handOver: () => undefined,
    ended: (end) => ends.push(end),
  }),
)
afterAll(async () => {
  await Promise.all([task.close(), agent.close()])
  await pairs[Symbol.asyncDispose]()
})

const say = (method: string, value: unknown, tensors: readonly NDArray[] = []) =>
  task.call(method, { head: new TextEncoder().encode(JSON.stringify(value)), tensors }, { deadlineMs })

describe('an agent refuses', () => {
  it.each([
    ['task.readDocument', { key: '' }],
    ['task.readDocument', { key: 'a', jobId: '../..' }],
    ['task.writeDocument', { key: 'k'.repeat(201), ifVersion: 0, value: 1 }],
    ['task.writeDocument', { key: 'k', ifVersion: -1, value: 1 }],
    ['task.getBlob', { hash: '../../etc/passwd' }],
    ['task.putBlob', {}],
    ['task.connect', { task: 'worker:0\n', stream: 1 }],
    ['task.connect', { task: 'worker:0', stream: 'x' }],
    ['task.tell', { told: [{ kind: 'log', line: 'x' }] }],
    ['task.tell', { told: [{ kind: 'metrics', step: 1, values: { loss: '1' } }] }],
    [
      'task.tell',
      { told: Array.from({ length: 257 }, (_, step) => ({ kind: 'metrics', step, values: {} })) },
    ],
    ['task.ended', { end: { kind: 'won' } }],
    ['task.nothing', {}],
  ])('%s with %j', async (method, value) => {
    await expect(say(method, value)).rejects.toThrow(/ProtocolError|there is no method/)
    expect([services.documents.size, services.blobs.size, services.told.length, ends.length]).toEqual([
      0, 0, 0, 0,
    ])
  })

  it('a blob that is not bytes', async () => {
    const floats = new NDArray('float32', [1], new Float32Array(1))
    await expect(say('task.putBlob', {}, [floats])).rejects.toThrow('a blob is one tensor of uint8')
  })

  it('a blob that is too large, before it takes memory for it', async () => {
    const large = new NDArray('uint8', [2 ** 28 + 1], new Uint8Array(2 ** 28 + 1))
    await expect(say('task.putBlob', {}, [large])).rejects.toThrow(/268435456|256 MiB|limit/i)
  })
})
