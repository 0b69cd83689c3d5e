// Every public name explained: follows what an entry point passes on to the declaration, and looks above it.
import { posix } from 'node:path'
import { entryPoints, has, packages, text } from '../workspace.ts'
import { type Module, readModule } from './modules.ts'

/** The public names of every package without a docstring directly above their declaration. */
export function undocumentedNames(root?: string): readonly string[] {
  const read = new Map<string, Module>()
  const moduleAt = (file: string): Module => {
    const known = read.get(file)
    if (known) return known
    const module = readModule(file, text(file, root))
    read.set(file, module)
    return module
  }

  /** Faults of the name `name` as exported by `file`; `*` stands for all of its names. */
  function faultsOf(file: string, name: string, seen: ReadonlySet<string>): readonly string[] {
    const key = `${file}#${name}`
    if (seen.has(key)) return []
    if (!has(file, root)) return [`${file} is exported but is not there`]
    const deeper = new Set(seen).add(key)
    const { exports, declarations } = moduleAt(file)
    const direct = exports.filter((entry) => name === '*' || entry.name === name)
    // A name that is not listed comes through one of the `export *`, if it comes at all.
    const chosen = direct.length > 0 ? direct : exports.filter((entry) => entry.name === '*')
    return chosen.flatMap((entry) => {
      if (entry.from === undefined) {
        return declarations.get(entry.original) ? [] : [`${file}: ${entry.original} has no docstring`]
      }
      // Names of other packages are explained where they are declared.
      if (!entry.from.startsWith('.')) return []
      const target = posix.join(posix.dirname(file), entry.from)
      const wanted = entry.name === '*' ? name : entry.original
      return faultsOf(target, wanted, deeper)
    })
  }

  const faults = packages(root)
    .filter(({ folder }) => folder.startsWith('packages/'))
    .flatMap(({ folder, manifest }) => entryPoints(manifest).map((entry) => posix.join(folder, entry)))
    .flatMap((file) => faultsOf(file, '*', new Set()))
  return [...new Set(faults)]
}
