// Option types as tables: what an interface of options says of each of its members, and of those that it extends.
import { opFiles, text } from './workspace.ts'

/** An exported interface of options. */
interface OptionType {
  readonly name: string
  readonly doc: string
  /** The names after `extends`. */
  readonly bases: readonly string[]
  readonly rows: readonly string[]
}

const declared =
  /\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\nexport interface (\w+)(?: extends ([\w, ]+))? \{\n([\s\S]*?)\n\}/g
const member = /\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\n {2}readonly (\w+)\??: ([^\n]+)/g

const said = (comment: string): string =>
  comment
    .replace(/\n\s*\* ?/g, ' ')
    .replaceAll('|', '\\|')
    .trim()

/** The option types that op files export, by name. */
export function optionTypes(): ReadonlyMap<string, OptionType> {
  const found = opFiles().flatMap((path) =>
    [...text(path).matchAll(declared)].map(([, doc, name, bases, body]) => ({
      name: name!,
      doc: said(doc!),
      bases: bases?.split(/, */) ?? [],
      rows: [...body!.matchAll(member)].map(
        ([, about, key, type]) => `| \`${key}\` | \`${type!.replaceAll('|', '\\|')}\` | ${said(about!)} |`,
      ),
    })),
  )
  return new Map(found.map((type) => [type.name, type]))
}

/** Sections for the option types that signatures name, and for what these extend. */
export function optionSections(
  signatures: readonly string[],
  types: ReadonlyMap<string, OptionType>,
): readonly string[] {
  const named = new Set(signatures.flatMap((signature) => signature.match(/\b[A-Z]\w+/g) ?? []))
  // Bases join the set while it is gone through.
  for (const name of named) types.get(name)?.bases.forEach((base) => named.add(base))
  return [...named].sort().flatMap((name) => {
    const type = types.get(name)
    if (!type || type.rows.length === 0) return []
    const bases = type.bases.filter((base) => types.has(base)).map((base) => `\`${base}\``)
    const also = bases.length > 0 ? [`All of ${bases.join(' and ')}, and:`, ''] : []
    const table = ['| member | type | meaning |', '| --- | --- | --- |', ...type.rows, '']
    return [`## ${name}`, '', type.doc, '', ...also, ...table]
  })
}
