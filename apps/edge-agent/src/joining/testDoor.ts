// For tests: a node that takes others in, at a port of this machine.
import { join } from 'node:path'
import { SocketTransport } from '@shoal/distributed/peers'
import type { Role } from '../api/node.ts'
import { Identity } from '../identity/identity.ts'
import { StateFolder } from '../identity/stateFolder.ts'
import { formatCode } from './code.ts'
import { Invitations } from './invitations.ts'
import { joinProtocolName } from './joinMessages.ts'
import { type DoorOptions, joinProtocol } from './joinProtocol.ts'

/** A node of its own in a folder below `root`. */
export const nodeIn = async (root: string, name: string): Promise<Identity> =>
  Identity.open(await StateFolder.open(join(root, name)), { name })

/** A manager behind its door. Ends with the stack. */
export async function openDoor(
  root: string,
  identity: Identity,
  open: AsyncDisposableStack,
  options: Partial<DoorOptions> = {},
) {
  const folder = await StateFolder.open(join(root, identity.nodeId.replace(/-\w+$/, '')))
  const invitations = await Invitations.open(folder, identity.clusterId)
  const joined: string[] = []
  const log: string[] = []
  const door = joinProtocol({
    identity,
    invitations,
    isTaken: (nodeId) => joined.includes(nodeId),
    members: () => [{ nodeId: identity.nodeId, role: identity.role, addresses: [listener.address] }],
    joined: ({ nodeId }) => joined.push(nodeId),
    log: (line) => log.push(line),
    ...options,
  })
  const transport = new SocketTransport({
    credentials: identity.credentials,
    admit: identity.removals.admit,
    protocols: { [joinProtocolName]: door },
  })
  const listener = await transport.listen('127.0.0.1:0', {
    connected: (connection) => open.defer(() => connection.close()),
  })
  open.defer(() => listener.close())
  const { address } = listener
  const invite = async (role: Role = 'worker', addresses: readonly string[] = [address]): Promise<string> => {
    const { secret } = await invitations.create({ role })
    return formatCode({ role, clusterId: identity.clusterId, secret, addresses })
  }
  return { address, door, invitations, joined, log, invite }
}
