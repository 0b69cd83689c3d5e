// The control plane as the main thread has it: a thread that speaks with the peers is told what there is to say, and tells what happens.
import { Worker } from 'node:worker_threads'
import { ClosedError } from '@shoal/core'
import { ConnectError } from '../errors.ts'
import { onRenewal } from '../security/renewable.ts'
import type { PeerView } from './controlNode.ts'
import { type ControlOptions, type ControlPeers, nodeSettings, peerTable } from './controlOptions.ts'
import { countInMain } from './mainWatch.ts'
import type { NodeUpdate } from './nodeStatus.ts'
import type { FromThread, ThreadData, ToThread } from './threadMessages.ts'

/** A control plane that runs. */
export interface Control {
  /** Where it listens. */
  readonly address: string
  readonly incarnation: string
  /** Says something new of this node. What is left out stays as it is. */
  update(status: NodeUpdate): void
  /** Attends these peers from now on, and no others. */
  follow(peers: ControlPeers): void
  /** What is known of the peers at this moment. @throws ClosedError. */
  peers(): Promise<readonly PeerView[]>
  /** Says to the peers that this node leaves, and why, and ends. */
  close(reason?: string): Promise<void>
  /** Settles when it has ended: with nothing where it was closed, otherwise with why. It never rejects. */
  readonly closed: Promise<Error | undefined>
}

/**
 * Starts the control plane of a node, in a thread of its own: gRPC with heartbeats, status, health and reflection.
 * @throws ValueError for options that make no sense, SecurityError for credentials that are not valid and for clear text that would leave
 * this machine, ConnectError where the address cannot be listened at.
 */
export async function startControl(options: ControlOptions): Promise<Control> {
  const settings = nodeSettings(options)
  const control = new ControlThread(options, {
    settings,
    status: options.status ?? {},
    mainWords: new Int32Array(new SharedArrayBuffer(4)),
  })
  if ('credentials' in options) {
    const forget = onRenewal(options.credentials, (credentials) =>
      control.tell({ kind: 'renew', credentials }),
    )
    void control.closed.then(forget)
  }
  const address = await control.listening
  return {
    address,
    incarnation: settings.name.incarnation,
    closed: control.closed,
    update: (update) => control.tell({ kind: 'update', update }),
    follow: (peers) => control.tell({ kind: 'follow', peers: peerTable(peers, options) }),
    peers: () => control.peers(),
    close: (reason = 'it was closed') => control.close(reason),
  }
}

type Hooks = Pick<ControlOptions, 'onPeer' | 'onNews' | 'onStop' | 'onRefused' | 'thread'>

/** Milliseconds that the thread may take to say farewell. */
const closeMs = 5000

/** The thread, seen from outside. */
class ControlThread {
  readonly #thread: Worker
  readonly #hooks: Hooks
  readonly #listening = Promise.withResolvers<string>()
  readonly #closed = Promise.withResolvers<Error | undefined>()
  readonly #questions: PromiseWithResolvers<readonly PeerView[]>[] = []
  readonly #stopCounting: () => void
  #closing = false
  #failure: Error | undefined

  constructor(hooks: Hooks, data: ThreadData) {
    this.#hooks = hooks
    this.#stopCounting = countInMain(data.mainWords)
    // Sources run as they are; what is published has been compiled.
    const beside = import.meta.url.endsWith('.ts') ? './thread.ts' : './thread.js'
    this.#thread = new Worker(hooks.thread ?? new URL(beside, import.meta.url), {
      workerData: data,
      name: 'shoal control',
      // A thread inherits the flags of its process; one that says how the source on the command line is written would stop it.
      execArgv: process.execArgv.filter((flag) => flag.startsWith('--conditions=')),
    })
    this.#thread
      .on('message', (message: FromThread) => this.#hear(message))
      .on('error', (cause) => {
        this.#failure ??= new ClosedError(`the thread of the control plane failed: ${String(cause)}`, {
          cause,
        })
      })
      .on('exit', () => this.#ended())
  }

  /** Settles when it listens, with the address. */
  get listening(): Promise<string> {
    return this.#listening.promise
  }
  get closed(): Promise<Error | undefined> {
    return this.#closed.promise
  }

  tell(message: ToThread): void {
    this.#thread.postMessage(message)
  }

  peers(): Promise<readonly PeerView[]> {
    if (this.#closing) return Promise.reject(new ClosedError('the control plane was closed'))
    const question = Promise.withResolvers<readonly PeerView[]>()
    this.#questions.push(question)
    this.tell({ kind: 'look' })
    return question.promise
  }

  async close(reason: string): Promise<void> {
    this.#closing = true
    this.tell({ kind: 'close', reason })
    const late = setTimeout(() => void this.#thread.terminate(), closeMs)
    await this.closed
    clearTimeout(late)
  }

  #hear(message: FromThread): void {
    switch (message.kind) {
      case 'listening':
        return this.#listening.resolve(message.address)
      case 'refused':
        this.#failure = new ConnectError(message.error)
        return void this.#thread.terminate()
      case 'peer':
        return this.#hooks.onPeer?.(message.event)
      case 'news':
        return this.#hooks.onNews?.(message.news)
      case 'stop':
        return this.#hooks.onStop?.(message.request)
      case 'stranger':
        return this.#hooks.onRefused?.(message.why)
      case 'seen':
        // Questions are answered in the order in which they were asked.
        return this.#questions.shift()?.resolve(message.peers)
      case 'closed':
        return void this.#thread.terminate()
      default:
        return message satisfies never
    }
  }

  #ended(): void {
    this.#stopCounting()
    const failure = this.#closing
      ? undefined
      : (this.#failure ?? new ClosedError('the thread of the control plane ended by itself'))
    this.#closing = true
    this.#closed.resolve(failure)
    const error = failure ?? new ClosedError('the control plane was closed')
    this.#listening.reject(error)
    for (const { reject } of this.#questions.splice(0)) reject(error)
  }
}
