// The workspace as data: its root, its packages and its source files.
import { existsSync, globSync, readFileSync } from 'node:fs'
import { basename, join, sep } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The folder of the whole workspace. */
export const root = fileURLToPath(new URL('..', import.meta.url)).replace(/[\\/]$/, '')

/** The fields of a package.json that the tools read. */
export interface Manifest {
  readonly name: string
  readonly private?: boolean
  readonly dependencies?: Readonly<Record<string, string>>
  readonly peerDependencies?: Readonly<Record<string, string>>
  readonly devDependencies?: Readonly<Record<string, string>>
  readonly exports?: Readonly<Record<string, string | Readonly<Record<string, string>>>>
}

/** One member of the workspace. `folder` is its path below the root, `short` the last part of that path. */
export interface Package {
  readonly folder: string
  readonly short: string
  readonly manifest: Manifest
}

/** The members of the workspace that have a manifest, in order of their folders. */
export function packages(at: string = root): readonly Package[] {
  return globSync(['{packages,apps,examples}/*/package.json', '{bench,docs}/package.json'], { cwd: at })
    .map((file) => file.split(sep).slice(0, -1).join('/'))
    .sort()
    .map((folder) => ({
      folder,
      short: basename(folder),
      manifest: JSON.parse(readFileSync(join(at, folder, 'package.json'), 'utf8')) as Manifest,
    }))
}

/** The sources that a package lets others import, as paths below its folder. */
export function entryPoints({ exports = {} }: Manifest): readonly string[] {
  return Object.values(exports).flatMap((target) => {
    const source = typeof target === 'string' ? undefined : target['@shoal/source']
    return source === undefined ? [] : [source]
  })
}

/** The files that match `pattern`, as paths below the root with forward slashes; built and installed ones left out. */
export function files(pattern: string | readonly string[], at: string = root): readonly string[] {
  const exclude = ['**/node_modules/**', '**/dist/**', '**/.turbo/**', '.codeblocks/**', '.git/**']
  return globSync(pattern, { cwd: at, exclude })
    .map((file) => file.split(sep).join('/'))
    .sort()
}

/** The text of a file of the workspace. */
export function text(file: string, at: string = root): string {
  return readFileSync(join(at, file), 'utf8')
}

/** Whether a file of the workspace is there. */
export function has(file: string, at: string = root): boolean {
  return existsSync(join(at, file))
}

const opLists = ['index.ts', 'standardOps.ts'].map((name) => `packages/core/src/ops/${name}`)

/** The files that define core's ops, as paths below the root. */
export const opFiles = (): readonly string[] =>
  files('packages/core/src/ops/**/*.ts').filter(
    (path) => !path.endsWith('.test.ts') && !opLists.includes(path),
  )
