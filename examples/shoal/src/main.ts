// The main job: three agents find each other, become a cluster, and train, search and ensemble a network together.
import { interruption, readArguments } from '@shoal/example-parts'
import { temporaryFolder } from './folder.ts'
import { runJob } from './job.ts'
import { meet } from './meeting.ts'
import { loopback, namespaces } from './network.ts'
import { Node } from './node.ts'
import { Story } from './story.ts'
import { judgeOutcomes, summarize } from './summary.ts'

const args = readArguments({ namespaces: false })
if (args.device !== 'cpu' || args.threads !== 1) {
  console.error(
    'each task computes on one thread of the cpu: --device and --threads are not for this example',
  )
  process.exit(2)
}
const names = ['pi-1', 'pi-2', 'pi-3']
const trials = 8
const set = { seed: args.seed, ...(args.short && { epochs: 1, trialEpochs: 4, sample: 640 }) }
const promised = { accuracy: args.short ? 0.8 : 0.95, trials }

const asked = interruption()
// The terminal was closed: nobody reads what would be said, and all that was begun ends with this process.
process.once('SIGHUP', () => process.exit(129))
const lost = new AbortController()
const onLost = (error: Error): void => lost.abort(error)
const signal = AbortSignal.any([asked, lost.signal])
const story = new Story(
  (line) => console.log(line),
  () => performance.now(),
)

try {
  await mainJob()
} catch (error) {
  if (asked.aborted) {
    story.line('ended, as it was asked to: nothing is left running')
    process.exitCode = 130
  } else {
    console.error(((lost.signal.reason ?? error) as Error).message)
    process.exitCode = 1
  }
}

async function mainJob(): Promise<void> {
  using network = args.namespaces ? namespaces(names.length) : loopback
  using folder = temporaryFolder()
  const nodes: Node[] = []
  await using _ending = { [Symbol.asyncDispose]: () => endAll(nodes) }
  story.heading(`Three agents, each with a process and a folder of its own, on ${network.about}`)
  for (const [machine, name] of names.entries())
    nodes.push(new Node({ name, folder: folder.path, network, machine, onLost, signal }))
  const ids: string[] = []
  for (const { listening } of nodes) {
    const { nodeId, address } = await listening
    ids.push(nodeId)
    story.line(`${nodeId} listens at ${address}`)
  }
  await meet(nodes, { story, signal })

  const [first, second, third] = nodes as [Node, Node, Node]
  const means = { nodes, story, signal }
  story.heading('Training: all nodes take the same steps, each with the gradients of its own digits')
  const training = await runJob(first, { kind: 'train', set }, means)
  story.heading(`Search: ${trials} trials of other parameters, wherever there is room`)
  const search = await runJob(second, { kind: 'search', told: { trials }, set }, means)
  story.heading('Ensemble: the best three trials become one model')
  const told = { of: search.id, best: 3, combine: 'mean' }
  const ensemble = await runJob(third, { kind: 'ensemble', told, reads: [search.id], set }, means)

  const outcomes = { training, search, ensemble }
  summarize(outcomes, ids, story)
  story.heading('What was promised')
  judgeOutcomes(outcomes, promised)
}

/** At the same time: whoever is left is not to take over what the others have begun. */
async function endAll(nodes: readonly Node[]): Promise<void> {
  await Promise.all(nodes.map((node) => node[Symbol.asyncDispose]()))
}
