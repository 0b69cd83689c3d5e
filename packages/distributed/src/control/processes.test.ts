// Real processes, killed, stopped and kept busy.
import { type ChildProcess, spawn } from 'node:child_process'
import { afterAll, describe, expect, it } from 'vitest'
import { ClusterAuthority } from '../security/authority.ts'
import type { PeerEvent } from './failureDetector.ts'
import { type Control, startControl } from './startControl.ts'

const authority = await ClusterAuthority.create()
const [near, far] = ['/job:worker/task:0', '/job:worker/task:1']

/** A process with a control plane. It tells what happens, and does what it is told. */
const program = `
  const { startControl } = await import(${JSON.stringify(new URL('./startControl.ts', import.meta.url).href)})
  process.once('message', async (options) => {
    const tell = (message) => process.send(message)
    const control = await startControl({ ...options, onPeer: (event) => tell({ event }) })
    tell({ listening: control.address, incarnation: control.incarnation })
    process.on('message', async ({ blockMs }) => {
      tell({ blocking: true })
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, blockMs)
      tell({ blocked: true })
    })
  })
  process.send({ ready: true })`

const running: (() => unknown)[] = []
afterAll(async () => {
  for (const end of running.splice(0)) await end()
})

/** What was told, which can be waited for. */
class Heard<T> {
  readonly all: T[] = []
  readonly #waiting = new Set<() => void>()
  add(item: T): void {
    this.all.push(item)
    for (const look of this.#waiting) look()
  }
  /** The first item from now on, or of those that there are, that is as asked. */
  async until(accepts: (item: T) => boolean, from = 0): Promise<T> {
    for (;;) {
      const found = this.all.slice(from).find(accepts)
      if (found !== undefined) return found
      const { promise, resolve } = Promise.withResolvers<void>()
      this.#waiting.add(resolve)
      await promise
      this.#waiting.delete(resolve)
    }
  }
}

interface Told {
  readonly ready?: boolean
  readonly listening?: string
  readonly incarnation?: string
  readonly event?: PeerEvent
  readonly blocking?: boolean
  readonly blocked?: boolean
}

async function startFar(address: string, peer: string) {
  const child = spawn(
    process.execPath,
    ['--conditions=@shoal/source', '--input-type=module', '--eval', program],
    { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] },
  ) as ChildProcess
  running.push(() => child.kill('SIGKILL'))
  const told = new Heard<Told>()
  child.on('message', (message: Told) => told.add(message))
  await told.until(({ ready }) => ready === true)
  const credentials = await authority.issue({ node: 'n1', role: 'worker' })
  child.send({ credentials, address, task: far, peers: { [near]: peer } })
  const { listening, incarnation } = await told.until((message) => message.listening !== undefined)
  return { child, told, address: listening!, incarnation: incarnation! }
}

/** This process and another one, each of which attends the other. */
async function startBoth() {
  const events = new Heard<PeerEvent>()
  const control: Control = await startControl({
    credentials: await authority.issue({ node: 'n0', role: 'worker' }),
    address: '127.0.0.1:0',
    task: near,
    onPeer: (event) => events.add(event),
  })
  running.push(() => control.close())
  const peer = await startFar('127.0.0.1:0', control.address)
  control.follow({ [far]: { address: peer.address, node: 'n1' } })
  await events.until(({ state }) => state === 'joined')
  await peer.told.until(({ event }) => event?.state === 'joined')
  return { control, events, peer }
}

describe.concurrent('processes that attend each other', { timeout: 60_000 }, () => {
  it('know of a kill at once, and of the process that comes after it', async () => {
    const { control, events, peer } = await startBoth()
    peer.child.kill('SIGKILL')
    const dead = await events.until(({ state }) => state === 'dead')
    expect(dead).toMatchObject({ task: far, incarnation: peer.incarnation })
    expect(dead.silentMs).toBeLessThan(3000)
    expect(dead.reason).toContain(`nobody listens at its port for signs of life any more, ${peer.address}`)
    const next = await startFar(peer.address, control.address)
    const restarted = await events.until(({ state }) => state === 'restarted')
    expect(restarted.incarnation).toBe(next.incarnation)
    expect(next.incarnation).not.toBe(peer.incarnation)
  })

  it('know of one that was stopped, which comes back as itself and blames nobody for its own sleep', async () => {
    const { events, peer } = await startBoth()
    peer.child.kill('SIGSTOP')
    const dead = await events.until(({ state }) => state === 'dead')
    expect(dead.reason).toMatch(/nothing was heard of it for/)
    expect(dead.silentMs).toBeGreaterThanOrEqual(2500)
    expect(dead.silentMs).toBeLessThan(3000)
    const before = events.all.length
    peer.child.kill('SIGCONT')
    const back = await events.until(({ state }) => state !== 'suspect', before)
    expect(back).toMatchObject({ state: 'joined', incarnation: peer.incarnation })
    expect(peer.told.all.map(({ event }) => event?.state)).not.toContain('dead')
  })

  it('hear of one whose main thread computes for 4 s, and can tell that it is busy', async ({ expect }) => {
    const { control, events, peer } = await startBoth()
    peer.child.send({ blockMs: 4000 })
    await peer.told.until(({ blocking }) => blocking === true)
    let mostBusyMs = 0
    await expect
      .poll(
        async () => {
          const [seen] = await control.peers()
          expect(seen?.state).not.toBe('dead')
          return (mostBusyMs = Math.max(mostBusyMs, seen?.load?.mainBusyMs ?? 0))
        },
        { timeout: 30_000, interval: 200 },
      )
      .toBeGreaterThan(3000)
    await peer.told.until(({ blocked }) => blocked === true)
    await expect
      .poll(async () => (await control.peers())[0]?.load?.mainBusyMs, { timeout: 30_000, interval: 200 })
      .toBeLessThan(1000)
    expect(events.all.map(({ state }) => state)).not.toContain('dead')
  })
})
