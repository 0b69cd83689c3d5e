// A network for tests: packets reach every node on it one millisecond later, and a test may lose them, or say some of its own.
import type { Clock } from '@shoal/distributed/peers'
import type { Link } from './links.ts'
import type { Heard, MediumListener, OpenMedium } from './medium.ts'

/** The port of the group. */
export const lanPort = 5353

/** One node's end of the network. */
export interface LanEnd {
  readonly open: OpenMedium
  readonly link: Link
  /** Takes the link up or down. */
  setUp(up: boolean): void
  /** Cuts the cable: nothing is heard or said any more, and nobody notices. */
  cut(): void
}

interface Station {
  readonly link: Link
  listener: MediumListener | undefined
  up: boolean
  cut: boolean
}

/** All ends of one network. */
export class SimulatedLan {
  /** All that was said, with who said it. */
  readonly said: { readonly address: string; readonly bytes: Uint8Array; readonly at: number }[] = []
  /** What was answered to one alone. */
  readonly replies: Uint8Array[] = []
  /** Which packets are lost; none to begin with. */
  loses: (bytes: Uint8Array) => boolean = () => false
  /** How often each packet arrives: twice where both families carry it. */
  copies = 1
  readonly #clock: Clock
  readonly #stations = new Set<Station>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** An end with an address in 192.0.2.0/24. */
  end(address: string, name = 'eth0'): LanEnd {
    const link: Link = { name, internal: false, addresses: [{ family: 'ipv4', address, prefix: 24 }] }
    const station: Station = { link, listener: undefined, up: true, cut: false }
    const tell = (): void => station.listener?.linksChanged(station.up ? [link] : [])
    const open: OpenMedium = (listener) => {
      station.listener = listener
      this.#stations.add(station)
      const disarm = this.#clock.after(0, tell)
      return {
        port: lanPort,
        faults: [],
        send: (_link, bytes) => {
          if (station.up && !station.cut) this.say(address, bytes)
        },
        reply: (_to, bytes) => void this.replies.push(bytes),
        [Symbol.asyncDispose]: async () => {
          disarm()
          this.#stations.delete(station)
        },
      }
    }
    return {
      link,
      open,
      setUp(up) {
        station.up = up
        tell()
      },
      cut: () => void (station.cut = true),
    }
  }

  /** Says something to everybody, as anybody. */
  say(address: string, bytes: Uint8Array, port = lanPort): void {
    this.said.push({ address, bytes, at: this.#clock.now() })
    if (this.loses(bytes)) return
    this.#clock.after(1, () => {
      for (const { link, listener, up, cut } of this.#stations) {
        const heard: Heard = { bytes, address, port, link: link.name }
        for (let copy = 0; copy < this.copies; copy++) if (up && !cut) listener?.heard(heard)
      }
    })
  }
}
