// A small network of this machine's own: namespaces as machines, each with one interface, all on one bridge. Needs root and iproute2.
import { execFileSync } from 'node:child_process'

const ip = (...args: readonly string[]): void =>
  void execFileSync('ip', args, { stdio: ['ignore', 'ignore', 'pipe'] })

/** Why there can be no such network here; undefined where there can be one. */
export function whyNoNamespaces(): string | undefined {
  const probe = `shoal-probe-${process.pid}`
  try {
    ip('netns', 'add', probe)
    ip('netns', 'del', probe)
    return undefined
  } catch (thrown) {
    return `network namespaces cannot be made: ${(thrown as Error).message.trim()}`
  }
}

/** Machines `192.168.x.1`, `.2` and so on, and this process at `.254` on the bridge. Subnets differ between processes. */
export class NamespaceNetwork implements Disposable {
  /** The name of the bridge, the interface of this process. */
  readonly bridge = `shoal${process.pid % 1e8}`
  readonly #subnet = `192.168.${process.pid % 256}`
  readonly #spaces: string[] = []

  constructor(machines: number) {
    try {
      ip('link', 'add', this.bridge, 'type', 'bridge')
      ip('addr', 'add', `${this.#subnet}.254/24`, 'dev', this.bridge)
      ip('link', 'set', this.bridge, 'up')
      for (let machine = 1; machine <= machines; machine++) this.#add(machine)
    } catch (thrown) {
      this[Symbol.dispose]()
      throw thrown
    }
  }

  /** The address of a machine, counted from 1. */
  address(machine: number): string {
    return `${this.#subnet}.${machine}`
  }

  /** A command line that runs another one on a machine. */
  on(machine: number, ...command: readonly string[]): readonly [string, ...string[]] {
    return ['ip', 'netns', 'exec', this.#space(machine), ...command]
  }

  /** Takes the interface of a machine up or down. */
  setUp(machine: number, up: boolean): void {
    ip('-n', this.#space(machine), 'link', 'set', 'eth0', up ? 'up' : 'down')
  }

  /** Changes something of a machine's network: what `ip` is told there, `link set eth0 multicast off`. */
  set(machine: number, change: string): void {
    ip('-n', this.#space(machine), ...change.split(' '))
  }

  [Symbol.dispose](): void {
    // The interfaces of a namespace go with it.
    for (const space of this.#spaces.splice(0)) ip('netns', 'del', space)
    try {
      ip('link', 'del', this.bridge)
    } catch {
      // It was never made.
    }
  }

  #space(machine: number): string {
    return this.#spaces[machine - 1]!
  }

  #add(machine: number): void {
    const space = `${this.bridge}-${machine}`
    const cable = `${this.bridge}.${machine}`
    ip('netns', 'add', space)
    this.#spaces.push(space)
    ip('link', 'add', cable, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', space)
    ip('link', 'set', cable, 'master', this.bridge, 'up')
    ip('-n', space, 'link', 'set', 'lo', 'up')
    ip('-n', space, 'addr', 'add', `${this.address(machine)}/24`, 'dev', 'eth0')
    ip('-n', space, 'link', 'set', 'eth0', 'up')
  }
}
