// Everything that must hold before a change is good, in the order in which it fails fastest. The last line is the sum.
import { single, type Outcome } from './check/outcome.ts'
import { runVitest } from './check/vitest.ts'
import { checkPages } from './codeblocks/pages.ts'
import { checkPlatforms } from './platforms/src/check.ts'
import { run } from './run.ts'
import { installSystemPackages } from './systemPackages.ts'
import { has, packages } from './workspace.ts'

/** A program of the workspace as a check. */
const tool = async (name: string, command: string, ...args: string[]) =>
  single(name, await run(command, args))

async function* publishable(): AsyncGenerator<Outcome> {
  for (const { folder, manifest } of packages()) {
    if (manifest.private || !folder.startsWith('packages/')) continue
    yield await tool(`publint ${manifest.name}`, 'publint', folder, '--strict', '--pack', 'pnpm')
  }
}

/** Every example in its short form, which ends within seconds. */
async function* examples(): AsyncGenerator<Outcome> {
  for (const { folder } of packages()) {
    const main = `${folder}/src/main.ts`
    if (!folder.startsWith('examples/') || !has(main)) continue
    yield await tool(folder, 'node', '--conditions=@shoal/source', main, '--short')
  }
}

async function* pages(): AsyncGenerator<Outcome> {
  for await (const { name, ...ended } of checkPages()) yield single(name, ended)
}

async function* checks(): AsyncGenerator<Outcome> {
  // Each package alone, with the types of its own platform: this is what keeps platform APIs out of core.
  yield await tool('build', 'turbo', 'run', 'build', '--output-logs=errors-only')
  // Everything together: tests, tools and examples too.
  yield await tool('types', 'turbo', 'run', 'typecheck', '--output-logs=errors-only')
  yield await tool('lint', 'oxlint', '--type-aware')
  yield await tool('format', 'biome', 'format', '.')
  yield await tool('unused code and dependencies', 'knip')
  yield* publishable()
  yield* installSystemPackages()
  yield await runVitest()
  yield* checkPlatforms()
  yield* pages()
  yield* examples()
  // More kernels, bytes or memory than before fail here; clocks are not looked at.
  yield await tool('bench counts', 'node', '--conditions=@shoal/source', 'bench/src/main.ts', '--short')
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
