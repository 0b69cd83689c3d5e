// Sessions of clients that belong to no task: a browser, a notebook, a program on a laptop.
import type { ClientOptions } from '../master/masterService.ts'
import { RemoteTarget } from './remoteTarget.ts'
import type { Transport } from '../transport/contract.ts'

/**
 * Opens a session at a server, which is its master: for `new Session({ target })`.
 * @param address of any server of the cluster: `host:port`.
 * @throws ConnectError, SecurityError; UnavailableError naming the tasks that are missing.
 */
export async function connectMaster(
  transport: Transport,
  address: string,
  options: ClientOptions & { readonly connectDeadlineMs?: number; readonly signal?: AbortSignal } = {},
): Promise<RemoteTarget> {
  const { connectDeadlineMs: deadlineMs = 10_000, signal, ...how } = options
  const connection = await transport.connect(address, { deadlineMs, signal })
  try {
    return await RemoteTarget.open(connection, how)
  } catch (error) {
    await connection.close()
    throw error
  }
}
