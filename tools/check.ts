// Everything that must hold before a change is good, in the order in which it fails fastest. The last line is the sum.
import { availableParallelism } from 'node:os'
import { inLanes } from './check/lanes.ts'
import { type Check, type Outcome, single } from './check/outcome.ts'
import { runVitest } from './check/vitest.ts'
import { pageChecks } from './codeblocks/pages.ts'
import { checkBits, platformChecks } from './platforms/src/check.ts'
import { run } from './run.ts'
import { installSystemPackages } from './systemPackages.ts'
import { has, packages } from './workspace.ts'

/** A program of the workspace as a check. */
const tool =
  (name: string, command: string, ...args: string[]): Check =>
  async () =>
    single(name, await run(command, args))

const node = (name: string, ...args: string[]): Check =>
  tool(name, 'node', '--conditions=@shoal/source', ...args)

/** What is known without running anything. */
const readings: readonly Check[] = [
  // Each package alone, with the types of its own platform: this is what keeps platform APIs out of core.
  tool('build', 'turbo', 'run', 'build', '--output-logs=errors-only'),
  // Everything together: tests, tools and examples too.
  tool('types', 'turbo', 'run', 'typecheck', '--output-logs=errors-only'),
  tool('lint', 'oxlint', '--type-aware'),
  tool('unused code and dependencies', 'knip'),
  tool('format', 'biome', 'format', '.'),
]

/** What was built, as it would be published. */
const publishable = (): readonly Check[] =>
  packages()
    .filter(({ folder, manifest }) => !manifest.private && /^(packages|apps)\//.test(folder))
    .map(({ folder, manifest }) =>
      tool(`publint ${manifest.name}`, 'publint', folder, '--strict', '--pack', 'pnpm'),
    )

/** The code that the documentation shows. */
const pages = (): readonly Check[] =>
  pageChecks().map(
    ({ name, run }) =>
      async () =>
        single(name, await run()),
  )

/** Every example in its short form, which ends within seconds. */
const examples = (): readonly { readonly folder: string; readonly check: Check }[] =>
  packages()
    .map(({ folder }) => folder)
    .filter((folder) => folder.startsWith('examples/') && has(`${folder}/src/main.ts`))
    .map((folder) => ({ folder, check: node(folder, `${folder}/src/main.ts`, '--short') }))

/** The main job between network namespaces, where this process may make some. */
async function namespaced(): Promise<readonly Check[]> {
  const [name, program] = ['shoal-check', `${mainJob}/src/main.ts`]
  const { ok } = await run('ip', ['netns', 'add', name])
  if (ok) await run('ip', ['netns', 'delete', name])
  return ok ? [node(`${mainJob} between namespaces`, program, '--short', '--namespaces')] : []
}

const mainJob = 'examples/shoal'
const split = 'examples/model-parallel'
const cluster = 'examples/distributed'

async function* checks(): AsyncGenerator<Outcome> {
  yield* inLanes(readings)
  yield* inLanes(publishable())
  yield* installSystemPackages()
  // Left to itself vitest keeps a processor free; one more than there are computes while others wait for processes to die.
  yield await runVitest({ args: [`--maxWorkers=${availableParallelism() + 1}`] })
  const bits = await checkBits()
  yield bits
  const [demo, others] = [await namespaced(), examples()]
  yield* inLanes([
    // Clusters whose processes are killed, stopped, cut off and disturbed: they wait more than they compute.
    node('faults', 'tools/faults/src/main.ts', '--short'),
    // The main job, where machines are as far apart as one machine can have them.
    ...demo,
    ...(bits.failed === 0 ? platformChecks(bits.output.trim()) : []),
    ...pages(),
    ...others.filter(({ folder }) => demo.length === 0 || folder !== mainJob).map(({ check }) => check),
    // One half of a graph on the GPU, the other beside it.
    node(`${split} --device webgpu`, `${split}/src/main.ts`, '--short', '--device', 'webgpu'),
    // The other arrangements of processes that train together.
    ...['synchronous', 'allReduce', 'layers'].map((arrangement) =>
      node(`${cluster} ${arrangement}`, `${cluster}/src/main.ts`, '--short', '--arrangement', arrangement),
    ),
    // More kernels, bytes or memory than before fail here; clocks are not looked at.
    node('bench counts', 'bench/src/main.ts', '--short'),
  ])
}

let passed = 0
let failed = 0
const broken: string[] = []
for await (const outcome of checks()) {
  passed += outcome.passed
  failed += outcome.failed
  const good = outcome.failed === 0
  const count =
    outcome.passed + outcome.failed === 1 ? '' : `: ${outcome.passed} passed, ${outcome.failed} failed`
  console.log(`${good ? 'ok    ' : 'FAILED'}  ${outcome.name}${count}  (${outcome.seconds.toFixed(1)} s)`)
  if (good) continue
  broken.push(outcome.name)
  console.log(outcome.output.replace(/^/gm, '  | '))
}
if (broken.length > 0) console.log(`Failed: ${broken.join(', ')}`)
process.exitCode = failed > 0 ? 1 : 0
console.log(`${passed} passed, ${failed} failed`)
