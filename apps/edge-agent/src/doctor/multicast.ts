// Multicast, by which nodes find each other: does this machine hear itself on each of its networks, and whom else?
import { parseAddress } from '@shoal/distributed/peers'
import { neighbourhood } from '../discovery/links.ts'
import type { HeardAnnouncement } from '../discovery/records.ts'
import { SystemFiles } from '../machine/systemFiles.ts'
import { type Finding, findingsOn } from './finding.ts'
import { listenAround, type LinkSounds, type Sounds } from './listening.ts'
import type { Patient } from './patient.ts'
import { programsAt } from './portHolders.ts'

const { good, fault, unknown } = findingsOn('multicast')

/** Of multicast DNS. */
const port = 5353
/** Flags of an interface, netdevice(7). */
const [pointToPoint, multicast] = [0x10, 0x1000]

const withoutIt = 'until then: shoal up --peer HOST:PORT with the address of another node'

/** Examines each network of this machine. */
export async function examineMulticast(patient: Patient): Promise<readonly Finding[]> {
  return findingsOf(await listenAround({ clock: patient.means.clock, port }), patient, new SystemFiles())
}

/** What is made of what was heard. */
export function findingsOf(sounds: Sounds, patient: Patient, files: SystemFiles): readonly Finding[] {
  const outward = sounds.links.filter(({ link }) => !link.internal)
  const none = fault(
    'no network interface of this machine is up but its loopback',
    'plug in the cable, or connect to the Wi-Fi: ip address shows the interfaces',
  )
  return [
    ...(outward.length === 0 ? [none] : []),
    ...outward.flatMap((each) => linkFindings(each, sounds.faults, patient, files)),
    ...namesakes(sounds, patient),
    ...(patient.report?.status.discoveryFaults ?? []).map((said) =>
      fault(`the agent cannot use multicast on ${said}`, remedyFor(said, files)),
    ),
  ]
}

function linkFindings(
  sounds: LinkSounds,
  faults: readonly string[],
  patient: Patient,
  files: SystemFiles,
): readonly Finding[] {
  const { link, heardItself } = sounds
  const flags = Number(files.text(`sys/class/net/${link.name}/flags`) ?? multicast)
  if ((flags & multicast) === 0)
    return [
      (flags & pointToPoint) === 0
        ? fault(
            `${link.name} is up without multicast: nobody is found there`,
            `sudo ip link set ${link.name} multicast on; ${withoutIt}`,
          )
        : unknown(`${link.name} is a tunnel, which passes no multicast`, `shoal up --peer HOST:PORT`),
    ]
  const families = new Set(link.addresses.map(({ family }) => family))
  const mute = [...families].filter((family) => !heardItself.has(family))
  const why = faults.filter((said) => said.startsWith(`${link.name} `))
  if (mute.length === families.size)
    return [
      fault(
        `this machine does not hear its own multicast on ${link.name}${why.length > 0 ? ` (${why.join('; ')})` : ''}`,
        why.length > 0 ? remedyFor(why.join(), files) : firewallRemedy,
      ),
    ]
  const also =
    mute.length > 0
      ? `, by ${[...heardItself].join()} only${why.length > 0 ? ` (${why.join('; ')})` : ''}`
      : ''
  return [
    good(`${link.name} passes multicast${also}${heardThere(sounds, patient)}`),
    ...unheard(sounds, patient),
  ]
}

const firewallRemedy = `a firewall drops it: sudo ufw allow ${port}/udp, or sudo firewall-cmd --permanent --add-service=mdns and --reload; ${withoutIt}`

function remedyFor(said: string, files: SystemFiles): string {
  if (!said.includes('EADDRINUSE')) return firewallRemedy
  // Shoal's own, and other programs of Node, share it.
  const programs = programsAt(port, files).filter((name) => !name.startsWith('node'))
  const who = programs.length > 0 ? programs.join(', ') : 'another program'
  return `${who} keeps port ${port} for itself: have it share the port, or stop it (sudo ss -ulpn shows who it is); ${withoutIt}`
}

function heardThere({ announcements }: LinkSounds, { identity }: Patient): string {
  const names = announcements.map(({ nodeId }) => nodeId).filter((id) => id !== identity?.member.nodeId)
  return names.length > 0 ? `; heard there: ${[...new Set(names)].toSorted().join(', ')}` : ''
}

/** Those who are connected over this network, and do not speak on it: something between lets connections pass, and not this. */
function unheard({ link, announcements }: LinkSounds, { report }: Patient): readonly Finding[] {
  const isNeighbour = neighbourhood(link)
  const said = new Set(announcements.map(({ nodeId }) => nodeId))
  return (report?.nodes ?? [])
    .filter(({ state, nodeId, addresses }) => {
      if (state !== 'trusted' || said.has(nodeId)) return false
      return addresses.some((address) => isNeighbour(parseAddress(address).host))
    })
    .map(({ nodeId }) =>
      unknown(
        `'${nodeId}' is connected over ${link.name}, and does not announce itself there`,
        'unless it was started with --no-mdns: its firewall, or a network that keeps its guests apart, drops multicast; connections do without',
      ),
    )
}

/** Others that say they are this very node: a copy of its folder. */
function namesakes({ links }: Sounds, { identity, report, running }: Patient): readonly Finding[] {
  if (!identity) return []
  const { nodeId } = identity.member
  const own = new Set(links.flatMap(({ link }) => link.addresses.map(({ address }) => address)))
  const address = report?.status.address ?? running?.address
  const ownPort = address === undefined ? undefined : parseAddress(address).port
  const isSelf = (said: HeardAnnouncement): boolean =>
    said.port === ownPort && said.addresses.some((address) => own.has(address.split('%')[0]!))
  const copies = links
    .flatMap(({ announcements }) => announcements)
    .filter((said) => said.nodeId === nodeId && !isSelf(said))
    .flatMap(({ addresses, port: at }) => addresses.map((address) => `${address} port ${at}`))
  if (copies.length === 0) return []
  return [
    fault(
      `another node says that it is '${nodeId}' too, at ${[...new Set(copies)].join(', ')}: the state folder was copied`,
      'remove the state folder on one of the two, and join again from there',
    ),
  ]
}
