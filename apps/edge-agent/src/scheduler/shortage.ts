// Why a job waits, in words for people: what it asks for, what each node has left, and whether waiting helps.
import type { JobSpec, Need } from '../jobs/spec.ts'
import { fits, type Offer, type Room, roomOf } from './offer.ts'

/** Nodes that are told one by one. */
const mostNodes = 8

/**
 * Why a job finds no place on these nodes.
 * @param later would it find one if all tasks that run now had ended?
 */
export function shortage(spec: JobSpec, offers: readonly Offer[], later: boolean): string {
  if (offers.length === 0)
    return 'No node computes for this cluster: there are clients only. Invite a worker or a manager.'
  const groups = Object.entries(spec.tasks)
  const adapters = groups.some(([, { need }]) => roomOf(need).adapters > 0)
  const asked = groups.map(([group, { count, need }]) => asks(group, count, need)).join('; ')
  const told = offers.slice(0, mostNodes).map((offer) => has(offer, adapters))
  if (offers.length > mostNodes) told.push(`${offers.length - mostNodes} more nodes have too little, too`)
  return `${asked}. ${told.join('; ')}. ${later ? waitingHelps : remedy(spec, offers)}`
}

const waitingHelps = 'It begins when enough of the tasks that run now have ended.'

/** `4 tasks 'worker' ask for 1 core and 2 GiB each`. */
function asks(group: string, count: number | 'all', need: Need): string {
  const room = words(roomOf(need))
  if (count === 'all') return `Task '${group}' asks for ${room} on each node that has it`
  return count === 1 ? `Task '${group}' asks for ${room}` : `${count} tasks '${group}' ask for ${room} each`
}

/** `pi-1 has 3 of 4 cores and 1.2 GiB of 3.7 GiB free`. */
function has({ nodeId, room, idle }: Offer, adapters: boolean): string {
  const cores = `${room.cores} of ${counted(idle.cores, 'core')}`
  const memory = `${bytes(room.memoryBytes)} of ${bytes(idle.memoryBytes)}`
  if (!adapters) return `${nodeId} has ${cores} and ${memory} free`
  const gpus = idle.adapters ? `${room.adapters} of ${counted(idle.adapters, 'GPU')}` : 'no GPU'
  return `${nodeId} has ${cores}, ${memory} and ${gpus} free`
}

function remedy({ tasks }: JobSpec, offers: readonly Offer[]): string {
  for (const [group, { need }] of Object.entries(tasks)) {
    const room = roomOf(need)
    if (offers.some(({ idle }) => fits(idle, room))) continue
    return `No node can ever take a task '${group}': invite one that has ${words(room)}, or ask for less.`
  }
  return 'Even when nothing else runs, these nodes together cannot take all of it: invite another node, or ask for less.'
}

function words({ cores, memoryBytes, adapters }: Room): string {
  const parts = [counted(cores, 'core'), bytes(memoryBytes)]
  return adapters ? `${parts.join(', ')} and a GPU` : parts.join(' and ')
}

const counted = (count: number, thing: string): string => `${count} ${thing}${count === 1 ? '' : 's'}`

/** `1.2 GiB`. */
export function bytes(count: number): string {
  const units = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB']
  const power = Math.min(units.length - 1, Math.floor(Math.log2(Math.max(1, count)) / 10))
  const amount = count / 2 ** (10 * power)
  return `${Number(amount.toFixed(amount < 10 && power > 0 ? 1 : 0))} ${units[power]}`
}
