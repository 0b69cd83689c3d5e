// A source file as the names that it takes in and gives out, read from its syntax and not by pattern.
import { type Comment, type Program, parseSync } from 'oxc-parser'

/** One name that a file exports. */
export interface ExportedName {
  /** The name that importers see; `*` for everything that `from` exports. */
  readonly name: string
  /** The name in the file where it comes from; `*` for a whole namespace. */
  readonly original: string
  /** The module it is passed on from; absent for a declaration of this file. */
  readonly from?: string
}

/** What the tools know of a source file. */
export interface Module {
  /** Every specifier imported or passed on, statically or by `import('…')` with a literal. */
  readonly imports: readonly string[]
  readonly exports: readonly ExportedName[]
  /** The names of top-level declarations, and whether a docstring stands directly above each. */
  readonly declarations: ReadonlyMap<string, boolean>
}

type Statement = Program['body'][number]

/** Reads one source file. Throws when its syntax is wrong. */
export function readModule(path: string, source: string): Module {
  const { module, program, comments, errors } = parseSync(path, source)
  const [fault] = errors
  if (fault) throw new SyntaxError(`${path}: ${fault.message}`)

  const imports = new Set(module.staticImports.map(({ moduleRequest }) => moduleRequest.value))
  const exports: ExportedName[] = []
  for (const { entries } of module.staticExports) {
    for (const { moduleRequest, importName, exportName, localName } of entries) {
      const name = exportName.name ?? (exportName.kind === 'Default' ? 'default' : '*')
      if (moduleRequest) {
        imports.add(moduleRequest.value)
        exports.push({ name, original: importName.name ?? '*', from: moduleRequest.value })
      } else exports.push({ name, original: localName.name ?? name })
    }
  }
  for (const { moduleRequest } of module.dynamicImports) {
    const literal = /^(['"])(.*)\1$/.exec(source.slice(moduleRequest.start, moduleRequest.end))
    if (literal?.[2] !== undefined) imports.add(literal[2])
  }
  return {
    imports: [...imports],
    exports: exports.map((entry) => throughImports(entry, module.staticImports)),
    declarations: declarationsOf(program.body, comments, source),
  }
}

/** `import { a } from 'x'; export { a }` says the same as `export { a } from 'x'`. */
function throughImports(
  entry: ExportedName,
  staticImports: ReturnType<typeof parseSync>['module']['staticImports'],
): ExportedName {
  if (entry.from !== undefined) return entry
  for (const { entries, moduleRequest } of staticImports) {
    const found = entries.find(({ localName }) => localName.value === entry.original)
    if (!found) continue
    const original = found.importName.name ?? (found.importName.kind === 'Default' ? 'default' : '*')
    return { name: entry.name, original, from: moduleRequest.value }
  }
  return entry
}

function declarationsOf(
  body: readonly Statement[],
  comments: readonly Comment[],
  source: string,
): ReadonlyMap<string, boolean> {
  const docstrings = comments.filter(({ type, value }) => type === 'Block' && value.startsWith('*'))
  const documented = (start: number) => {
    const above = docstrings.findLast(({ end }) => end <= start)
    // Directly above: a docstring that an empty line parts from the declaration speaks of the file.
    return above !== undefined && /^[^\S\n]*\n?[^\S\n]*$/.test(source.slice(above.end, start))
  }
  const found = new Map<string, boolean>()
  for (const statement of body) {
    const good = documented(statement.start)
    // The docstring of an overloaded function stands above its first signature.
    for (const name of declaredNames(statement)) found.set(name, good || (found.get(name) ?? false))
  }
  return found
}

function declaredNames(statement: Statement): readonly string[] {
  switch (statement.type) {
    case 'ExportNamedDeclaration':
      return statement.declaration ? declaredNames(statement.declaration) : []
    case 'ExportDefaultDeclaration':
      return ['default']
    case 'VariableDeclaration':
      return statement.declarations.flatMap(({ id }) => boundNames(id))
    case 'FunctionDeclaration':
    case 'TSDeclareFunction':
    case 'ClassDeclaration':
    case 'TSInterfaceDeclaration':
    case 'TSTypeAliasDeclaration':
      return statement.id ? [statement.id.name] : []
    default:
      return []
  }
}

type Binding = Extract<Statement, { type: 'VariableDeclaration' }>['declarations'][number]['id']

function boundNames(binding: Binding): readonly string[] {
  switch (binding.type) {
    case 'Identifier':
      return [binding.name]
    case 'ObjectPattern':
      return binding.properties.flatMap((part) =>
        boundNames(part.type === 'Property' ? part.value : part.argument),
      )
    case 'ArrayPattern':
      return binding.elements.flatMap((part) =>
        part ? boundNames(part.type === 'RestElement' ? part.argument : part) : [],
      )
    case 'AssignmentPattern':
      return boundNames(binding.left)
    default:
      return []
  }
}
