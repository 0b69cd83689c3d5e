// Two machines in one: network namespaces of Linux, and one cable between them, which can be pulled and made narrow.
import { atExit, command, whyNot } from './command.ts'

/** Which of the two. */
export type Side = 'near' | 'far'

const hosts = { near: '10.213.77.1', far: '10.213.77.2' } as const

/** Two namespaces with a link between them. */
export class Namespaces implements AsyncDisposable {
  private readonly prefix: string
  private readonly forget: (() => void)[] = []

  private constructor(prefix: string) {
    this.prefix = prefix
  }

  /** Makes both, with the link up. @throws Error where this process may not. */
  static async create(): Promise<Namespaces> {
    const made = new Namespaces(`shoal${process.pid % 100_000}`)
    try {
      await made.build()
      return made
    } catch (error) {
      await made[Symbol.asyncDispose]()
      throw error
    }
  }

  /** Why there can be none here; undefined where there can. */
  static missing(): Promise<string | undefined> {
    return whyNot(async () => {
      await using _made = await Namespaces.create()
    })
  }

  /** The address of a side. */
  host(side: Side): string {
    return hosts[side]
  }
  /** What to put before a program that shall run on a side. */
  within(side: Side): readonly string[] {
    return ['ip', 'netns', 'exec', this.name(side)]
  }

  /** Pulls the cable, or plugs it in. */
  async link(state: 'up' | 'down'): Promise<void> {
    await this.ip('far', 'link', 'set', this.device('far'), state)
  }
  /** Lets no more through than so many kilobits a second, in both directions. */
  async narrow(kilobits: number): Promise<void> {
    for (const side of ['near', 'far'] as const) {
      const tokens = ['tbf', 'rate', `${kilobits}kbit`, 'burst', '16kb', 'latency', '200ms']
      const inside = ['netns', 'exec', this.name(side)]
      await command('ip', ...inside, 'tc', 'qdisc', 'replace', 'dev', this.device(side), 'root', ...tokens)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // The cable goes with its ends.
    for (const side of ['near', 'far'] as const)
      await whyNot(() => command('ip', 'netns', 'delete', this.name(side)))
    this.forget.forEach((forget) => forget())
  }

  private async build(): Promise<void> {
    for (const side of ['near', 'far'] as const) {
      await command('ip', 'netns', 'add', this.name(side))
      this.forget.push(atExit('ip', 'netns', 'delete', this.name(side)))
      await this.ip(side, 'link', 'set', 'lo', 'up')
    }
    const [near, far] = [this.device('near'), this.device('far')]
    await this.ip('near', 'link', 'add', near, 'type', 'veth', 'peer', 'name', far, 'netns', this.name('far'))
    for (const side of ['near', 'far'] as const) {
      await this.ip(side, 'address', 'add', `${hosts[side]}/24`, 'dev', this.device(side))
      await this.ip(side, 'link', 'set', this.device(side), 'up')
    }
  }

  private name(side: Side): string {
    return `${this.prefix}-${side}`
  }
  private device(side: Side): string {
    return `veth-${side}`
  }
  private ip(side: Side, ...args: string[]): Promise<string> {
    return command('ip', '-netns', this.name(side), ...args)
  }
}
