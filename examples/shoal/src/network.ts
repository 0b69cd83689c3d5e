// What the agents are connected by: the loopback interface of this machine, or a bridge between network namespaces.
import { NamespaceNetwork, whyNoNamespaces } from '@shoal/edge-agent/namespaces'

/** Machines, counted from 0. */
export interface Network extends Disposable {
  /** In words. */
  readonly about: string
  /** The address at which an agent of a machine listens. */
  address(machine: number): string
  /** A command line that runs another one on a machine. */
  on(machine: number, command: string, args: readonly string[]): readonly string[]
}

/** All on this machine, by its loopback interface. */
export const loopback: Network = {
  about: 'the loopback interface of this machine',
  address: () => '127.0.0.1',
  on: (_, command, args) => [command, ...args],
  [Symbol.dispose]: () => undefined,
}

/**
 * Each machine a network namespace with an interface of its own, all on one bridge.
 * @throws Error saying what is missing where there can be none
 */
export function namespaces(machines: number): Network {
  const missing = whyNoNamespaces()
  if (missing !== undefined)
    throw new Error(`${missing}\n--namespaces needs Linux, root and the program ip (package iproute2)`)
  const network = new NamespaceNetwork(machines)
  const dispose = (): void => network[Symbol.dispose]()
  process.once('exit', dispose)
  return {
    about: `${machines} network namespaces on the bridge ${network.bridge}`,
    address: (machine) => network.address(machine + 1),
    on: (machine, command, args) => network.on(machine + 1, command, ...args),
    [Symbol.dispose]() {
      process.off('exit', dispose)
      dispose()
    },
  }
}
