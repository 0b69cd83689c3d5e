// Machines that cannot reach each other for a while, and machines with a narrow road between them.
import { type Ordeal, type Fault, survive, type Scale } from '../survive.ts'
import { Namespaces, type Side } from '../namespaces.ts'

const sideOf = (name: string): Side => (name === 'worker-1' ? 'far' : 'near')

/** The second worker in a namespace of its own, everybody else in another. */
const divided = (network: Namespaces, scale: Scale): Omit<Ordeal, 'strike'> => ({
  scale,
  steps: scale.short ? 350 : 800,
  addressOf: (name, port) => `${network.host(sideOf(name))}:${port}`,
  surroundings: (name) => ({ prefix: network.within(sideOf(name)) }),
})

/** The link is down for longer than anybody waits. */
export const partition: Fault = {
  name: 'partition',
  about: 'a worker cannot be reached for longer than others wait, and comes back',
  inShort: true,
  missing: () => Namespaces.missing(),
  async run(scale) {
    await using network = await Namespaces.create()
    await survive({
      ...divided(network, scale),
      async strike({ journal }) {
        journal.note(`the link goes down at step ${journal.step}`)
        const from = journal.entries.length
        await network.link('down')
        await journal.heard('worker-1', /lost its session/, { from })
        await journal.more('worker-0', 10)
        journal.note('the link comes up')
        await network.link('up')
        await journal.more('worker-1', 5)
      },
      tells: [
        { what: 'that the worker beyond was cut off', by: 'worker-1', line: /lost its session .*ps/ },
        { what: 'where it has gone on', by: 'worker-1', line: /ready at step [1-9]/ },
      ],
    })
  },
}

/** The link takes 8 Mb/s, less than the weights and gradients of each step would fill. */
export const narrowLink: Fault = {
  name: 'narrowLink',
  about: 'the link to one worker takes 8 Mb/s all at once',
  inShort: false,
  missing: () => Namespaces.missing(),
  async run(scale) {
    await using network = await Namespaces.create()
    await survive({
      ...divided(network, scale),
      async strike({ journal }) {
        await network.narrow(8000)
        journal.note(`the link is narrow from step ${journal.step} on`)
        await journal.more('worker-1', 10)
        const lost = journal.find(/worker/, /lost its session/)
        if (lost) throw new Error(`a narrow link is no lost one, but ${lost.name} said: ${lost.line}`)
      },
    })
  },
}
