// Who is alive, judged by what was heard of them and when. Silence is suspicious first, then it is death; another incarnation is a restart.
import type { Clock } from '../clock.ts'

/** How long silence may last. */
export interface SilenceLimits {
  /** Milliseconds after which a peer is suspected. */
  readonly suspectAfterMs: number
  /** Milliseconds after which it is dead. */
  readonly deadAfterMs: number
}

/** What becomes of a peer. After `restarted` it is as joined: a process that is not the one before, which has lost all that that one knew. */
export type PeerChange = 'joined' | 'suspect' | 'dead' | 'restarted'

/** A change. */
export interface PeerEvent {
  /** `/job:worker/task:1`. */
  readonly task: string
  readonly state: PeerChange
  /** Of the process that is spoken of. */
  readonly incarnation: string
  /** In words, for people. */
  readonly reason: string
  /** Milliseconds of silence before this, as far as this process was awake to hear. */
  readonly silentMs: number
}

interface Heard {
  readonly incarnation: string
  sequence: number
  atMs: number
  state: 'joined' | 'suspect' | 'dead'
  stopWatching: () => void
}

/** Incarnations that are remembered as over, for each peer. */
const mostRetired = 16

/** Judges peers by the given clock, which should be one that stands still while this process does (`AwakeClock`). */
export class FailureDetector {
  readonly #clock: Clock
  readonly #limits: SilenceLimits
  readonly #changed: (event: PeerEvent) => void
  readonly #peers = new Map<string, Heard>()
  readonly #retired = new Map<string, string[]>()

  /** @param changed is told of every change, when it happens. */
  constructor(clock: Clock, limits: SilenceLimits, changed: (event: PeerEvent) => void) {
    this.#clock = clock
    this.#limits = limits
    this.#changed = changed
  }

  /**
   * Takes a sign of life. What is older than what was heard before is none: messages may be late.
   * @param sequence grows with each message of an incarnation, whichever way it takes.
   * @returns false for an incarnation that is over: another one of the same task has been heard since.
   */
  heard(task: string, incarnation: string, sequence: number): boolean {
    const peer = this.#peers.get(task)
    if (peer?.incarnation === incarnation) {
      if (sequence > peer.sequence) this.#alive(task, peer, sequence)
      return true
    }
    if (this.#retired.get(task)?.includes(incarnation)) return false
    if (peer) this.#retire(task, peer)
    const silentMs = peer ? this.#silence(peer) : 0
    const now: Heard = {
      incarnation,
      sequence,
      atMs: this.#clock.now(),
      state: 'joined',
      stopWatching: () => {},
    }
    this.#peers.set(task, now)
    this.#watch(task, now)
    if (peer)
      this.#say(task, now, 'restarted', `it is ${incarnation} now, and was ${peer.incarnation}`, silentMs)
    else this.#say(task, now, 'joined', 'it was heard for the first time', silentMs)
    return true
  }

  /** Takes the proof that a peer is not there any more: its port refuses, or it has said so. Nothing where it is not known to live. */
  gone(task: string, reason: string): void {
    const peer = this.#peers.get(task)
    if (peer && peer.state !== 'dead') this.#die(task, peer, reason)
  }

  /** What is known of a peer: its state, which is undefined before it was heard, and for how long it has been silent. */
  look(
    task: string,
  ): (Pick<PeerEvent, 'incarnation' | 'silentMs'> & { readonly state: Heard['state'] }) | undefined {
    const peer = this.#peers.get(task)
    return peer && { state: peer.state, incarnation: peer.incarnation, silentMs: this.#silence(peer) }
  }

  /** Forgets a peer; if it is heard again it is new. */
  forget(task: string): void {
    this.#peers.get(task)?.stopWatching()
    this.#peers.delete(task)
    this.#retired.delete(task)
  }

  /** Judges nobody any more. */
  close(): void {
    for (const task of this.#peers.keys()) this.forget(task)
  }

  #alive(task: string, peer: Heard, sequence: number): void {
    const silentMs = this.#silence(peer)
    peer.sequence = sequence
    peer.atMs = this.#clock.now()
    const { state } = peer
    if (state === 'joined') return
    peer.state = 'joined'
    if (state === 'dead') this.#watch(task, peer)
    this.#say(task, peer, 'joined', `it is heard again after ${inWords(silentMs)}`, silentMs)
  }

  /** Looks when the next limit may be reached; signs of life in between only move the moment at which that is. */
  #watch(task: string, peer: Heard): void {
    const { suspectAfterMs, deadAfterMs } = this.#limits
    const limit = peer.state === 'joined' ? suspectAfterMs : deadAfterMs
    peer.stopWatching = this.#clock.after(limit - this.#silence(peer), () => {
      const silentMs = this.#silence(peer)
      if (silentMs >= deadAfterMs)
        return this.#die(task, peer, `nothing was heard of it for ${inWords(silentMs)}`)
      if (silentMs >= suspectAfterMs && peer.state === 'joined') {
        peer.state = 'suspect'
        this.#say(task, peer, 'suspect', `nothing was heard of it for ${inWords(silentMs)}`, silentMs)
      }
      // Whoever was told of it may have forgotten the peer.
      if (this.#peers.get(task) === peer) this.#watch(task, peer)
    })
  }

  #die(task: string, peer: Heard, reason: string): void {
    peer.stopWatching()
    peer.state = 'dead'
    this.#say(task, peer, 'dead', reason, this.#silence(peer))
  }

  #retire(task: string, peer: Heard): void {
    peer.stopWatching()
    const retired = this.#retired.get(task) ?? []
    this.#retired.set(task, [...retired, peer.incarnation].slice(-mostRetired))
  }

  #say(task: string, { incarnation }: Heard, state: PeerChange, reason: string, silentMs: number): void {
    this.#changed({ task, state, incarnation, reason, silentMs })
  }

  #silence(peer: Heard): number {
    return this.#clock.now() - peer.atMs
  }
}

const inWords = (ms: number): string => `${(ms / 1000).toFixed(1)} s`
