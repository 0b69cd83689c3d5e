// A user's program and all that it imports as one file, which runs on a node where nothing is installed.
import type { BuildFailure, Plugin } from 'esbuild'
import { access } from 'node:fs/promises'
import { basename, dirname, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { BundleError } from './errors.ts'

/** How to bundle. */
export interface BundleOptions {
  /** The module whose `runProgram(program)` runs what the program exports. Default: this package's. */
  readonly runtime?: string
  /** The folder whose packages of Shoal are taken where the program's own has none. Default: that of this package. */
  readonly beside?: string
}

/**
 * Bundles a program: a module with a default export, in TypeScript or JavaScript. Types are not checked. The same sources become the same bytes;
 * stacks lead back to the sources.
 * @returns one module for Node, which runs the program when it is loaded.
 * @throws BundleError where the file is missing, does not compile, has no default export, or imports what cannot be found or bundled.
 */
export async function bundleProgram(file: string, options: BundleOptions = {}): Promise<Uint8Array> {
  const path = resolve(file)
  await access(path).catch((cause) => {
    throw new BundleError(`there is no program ${file}`, { cause })
  })
  // Loaded here, for whoever only runs programs needs no bundler.
  const { build } = await import('esbuild')
  const { runtime = ownRuntime } = options
  try {
    const { outputFiles } = await build({
      absWorkingDir: dirname(path),
      stdin: {
        contents: entry(runtime, `./${basename(path)}`),
        resolveDir: dirname(path),
        sourcefile: 'entry.mjs',
      },
      outfile: 'program.mjs',
      write: false,
      bundle: true,
      platform: 'node',
      format: 'esm',
      target: 'node26',
      // Where this runs from sources, so do the packages; an installed one has none.
      conditions: ending === '.ts' ? ['@shoal/source'] : [],
      // Packages in CommonJS ask for Node's modules by `require`.
      banner: {
        js: `import { createRequire } from 'node:module'\nconst require = createRequire(import.meta.url)`,
      },
      minifyWhitespace: true,
      legalComments: 'none',
      sourcemap: 'inline',
      sourcesContent: false,
      plugins: [packagesBeside(options.beside ?? import.meta.dirname)],
      logLevel: 'silent',
    })
    return outputFiles[0]!.contents
  } catch (thrown) {
    throw new BundleError(explained(thrown as BuildFailure, file), { cause: thrown })
  }
}

const ending = import.meta.url.slice(-3)
const ownRuntime = fileURLToPath(new URL(`./runProgram${ending}`, import.meta.url))

/** The runtime comes first: it is loaded before the program is. What was written is written out before the process ends. */
const entry = (runtime: string, program: string): string => `
import { runProgram } from ${JSON.stringify(runtime)}
import program from ${JSON.stringify(program)}
await runProgram(program)
for (const stream of [process.stdout, process.stderr]) await new Promise((done) => stream.write('', done))
process.exit()
`

/** Finds Shoal's packages in another folder where the program's has none of its own. */
const packagesBeside = (folder: string): Plugin => ({
  name: 'packages-beside',
  setup(build) {
    build.onResolve({ filter: /^(@shoal\/|shoal$)/ }, async ({ path, kind, resolveDir, pluginData }) => {
      if (pluginData === packagesBeside) return undefined
      const from = (where: string) =>
        build.resolve(path, { kind, resolveDir: where, pluginData: packagesBeside })
      const theirs = await from(resolveDir)
      return theirs.errors.length === 0 ? theirs : from(folder)
    })
  },
})

/** What esbuild found, as `file:line:column: what; what to do`. */
function explained({ errors, message }: BuildFailure, file: string): string {
  if (!errors?.length) return `${file} cannot be bundled: ${message}`
  const lines = errors.map(({ location, text }) => {
    const where = location ? `${location.file}:${location.line}:${location.column + 1}: ` : ''
    const hint = hints.find(([pattern]) => pattern.test(text))?.[1]
    return `${where}${text}${hint ? `; ${hint}` : ''}`
  })
  return `${file} cannot be bundled:\n${lines.join('\n')}`
}

const hints: readonly (readonly [RegExp, string])[] = [
  [/No matching export .* "default"/, 'a program ends with: export default defineProgram({ … })'],
  [/^Could not resolve "[./]/, 'is the path right, with its ending?'],
  [/^Could not resolve/, 'install it in the folder of the program'],
  [/No loader is configured for "\.node"/, 'native addons do not run in tasks: use a package without one'],
]
