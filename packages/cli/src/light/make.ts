// The process that makes the light command: `make MAIN FOLDER` bundles a module and all that it imports into a folder, and prints which file to run.
import { build, type Plugin } from 'esbuild'
import { createHash, randomUUID } from 'node:crypto'
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { type Made, stampOf } from './lightCommand.ts'

/** An agent that runs may still have to load a part of what it was started from. */
const keptMs = 30 * 24 * 3600 * 1000

/** Is it a module of a package by others? Those of Shoal are in `node_modules` too, where they are installed. */
function isOfOthers(path: string): boolean {
  const [, inside] = /.*[\\/]node_modules[\\/](.*)/.exec(path) ?? []
  return inside !== undefined && !/^@?shoal[\\/]/.test(inside)
}

/** Modules go on to say where they are in the package, not in the bundle: they find their neighbours by that. */
const whereTheyWere: Plugin = {
  name: 'where-they-were',
  setup({ onLoad }) {
    onLoad({ filter: /\.[jt]s$/ }, async ({ path }) => {
      if (isOfOthers(path)) return undefined
      const text = await readFile(path, 'utf8')
      if (!text.includes('import.meta.')) return undefined
      const contents = text
        .replaceAll('import.meta.url', JSON.stringify(pathToFileURL(path).href))
        .replaceAll('import.meta.dirname', JSON.stringify(dirname(path)))
      return { contents, loader: path.endsWith('.ts') ? 'ts' : 'js' }
    })
  },
}

async function make(main: string, folder: string): Promise<string> {
  const { outputFiles, metafile } = await build({
    entryPoints: { main },
    outdir: folder,
    write: false,
    metafile: true,
    bundle: true,
    // What is loaded when it is needed stays so.
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node26',
    outExtension: { '.js': '.mjs' },
    conditions: process.execArgv.flatMap((flag) => /^--conditions=(.+)/.exec(flag)?.[1] ?? []),
    // Programs of the system, which no agent loads into itself.
    external: ['esbuild', 'webgpu', 'koffi'],
    // Packages in CommonJS ask for Node's modules by `require`.
    banner: {
      js: `import { createRequire as requireFor } from 'node:module'\nconst require = requireFor(import.meta.url)`,
    },
    // Names stay: people read them in stacks.
    minifyWhitespace: true,
    minifySyntax: true,
    legalComments: 'none',
    logLevel: 'silent',
    plugins: [whereTheyWere],
  })
  const hash = createHash('sha256')
  for (const { path, contents } of outputFiles) hash.update(path).update(contents)
  const place = join(folder, hash.digest('hex').slice(0, 16))
  const inputs = await Promise.all(
    Object.keys(metafile.inputs).map(async (path) => [resolve(path), (await stampOf(path)) ?? ''] as const),
  )
  const made: Made = { main: join(place, 'main.mjs'), inputs: Object.fromEntries(inputs) }

  await removeOld(folder)
  const beside = join(folder, `${randomUUID()}.new`)
  await mkdir(beside, { recursive: true, mode: 0o700 })
  for (const { path, contents } of outputFiles)
    await writeFile(join(beside, path.slice(folder.length + 1)), contents)
  // There already, where two of these ran at once, or a change was taken back.
  await rename(beside, place).catch(() => rm(beside, { recursive: true }))
  const note = join(folder, `${randomUUID()}.new`)
  await writeFile(note, JSON.stringify(made))
  await rename(note, join(folder, 'made.json'))
  return made.main
}

async function removeOld(folder: string): Promise<void> {
  const names = await readdir(folder).catch(() => [])
  for (const name of names) {
    const path = join(folder, name)
    if (Date.now() - (await stat(path)).mtimeMs > keptMs) await rm(path, { recursive: true, force: true })
  }
}

const [main, folder] = process.argv.slice(2)
if (!main || !folder) throw new Error('usage: make MAIN FOLDER')
console.log(await make(resolve(main), resolve(folder)))
