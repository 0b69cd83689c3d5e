// Asks on every network of this machine who is there, and listens for a moment: to others, and for its own question, which the system brings back.
import { randomInt } from 'node:crypto'
import { type Clock, pause } from '@shoal/distributed/peers'
import { type Family, familyOf, type Link, readLinks } from '../discovery/links.ts'
import { readMessage, writeMessage } from '../discovery/message.ts'
import { announcementsOf, type HeardAnnouncement, serviceType } from '../discovery/records.ts'
import { udpMedium } from '../discovery/udpMedium.ts'

/** What was heard on one network. */
export interface LinkSounds {
  readonly link: Link
  /** The families by which this machine has heard its own question. */
  readonly heardItself: ReadonlySet<Family>
  /** Those who said that they are there. */
  readonly announcements: readonly HeardAnnouncement[]
}

/** What was heard. */
export interface Sounds {
  readonly links: readonly LinkSounds[]
  /** What kept sockets from working, by link and family: 'eth0 ipv4: bind EADDRINUSE'. */
  readonly faults: readonly string[]
}

/** How to listen. */
export interface ListenOptions {
  readonly clock: Clock
  /** Default: this machine's that are up. */
  readonly links?: () => readonly Link[]
  /** Default 5353, that of multicast DNS. */
  readonly port?: number
  /** Milliseconds. Default 1700: a question may get lost, and a node that has just said all waits a second before it does so again. */
  readonly listenMs?: number
}

/** Asks who is there, twice, and listens for a moment. */
export async function listenAround(options: ListenOptions): Promise<Sounds> {
  const { clock, links = readLinks, port = 5353, listenMs = 1700 } = options
  const around = links()
  const heard = new Map(
    around.map((link) => [
      link.name,
      { link, heardItself: new Set<Family>(), announcements: new Map<string, HeardAnnouncement>() },
    ]),
  )
  // The number tells this question from those of others; nobody else looks at it.
  const question = writeMessage({
    id: randomInt(1, 2 ** 16),
    questions: [{ name: serviceType, type: 'PTR' }],
  })
  const asked = new Set<string>()
  const medium = udpMedium({ clock, port, links: () => around, pollMs: listenMs * 2 })({
    heard({ bytes, address, link: name }) {
      const sounds = heard.get(name)
      if (!sounds) return
      const family = familyOf(address)
      if (family && Buffer.compare(bytes, question) === 0) sounds.heardItself.add(family)
      const message = readMessage(bytes)
      if (!message?.isResponse) return
      for (const said of announcementsOf([...message.answers, ...message.additionals], sounds.link))
        sounds.announcements.set(said.host, said)
    },
    linksChanged(open) {
      for (const { name } of open) {
        if (asked.has(name)) continue
        asked.add(name)
        medium.send(name, question)
      }
    },
    faulted() {},
  })
  try {
    await pause(listenMs / 3, clock)
    for (const { name } of around) medium.send(name, question)
    await pause((listenMs * 2) / 3, clock)
    return {
      links: [...heard.values()].map(({ announcements, ...rest }) => ({
        ...rest,
        announcements: [...announcements.values()],
      })),
      faults: [...medium.faults],
    }
  } finally {
    await medium[Symbol.asyncDispose]()
  }
}
