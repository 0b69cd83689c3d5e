// The blocks of one page as one program in which every line keeps its number, so that errors point into the page.
import { parseSync } from 'oxc-parser'
import type { CodeBlock } from './extract.ts'

/**
 * Joins blocks into one module: what one block declares, the later ones see. Blocks may repeat an import, as pages
 * do; the repetition is left out.
 */
export function assemble(blocks: readonly CodeBlock[], path: string): string {
  const imported = new Set<string>()
  let module = ''
  let line = 1
  for (const block of blocks) {
    module += '\n'.repeat(block.line - line)
    const code = withoutRepeatedImports(block.code, path, imported)
    module += `${code}\n`
    line = block.line + code.split('\n').length
  }
  return module
}

/** `code` less the imports in `imported`, to which it adds its own. */
function withoutRepeatedImports(code: string, path: string, imported: Set<string>): string {
  const { module, errors } = parseSync(path, code, { lang: 'ts', sourceType: 'module' })
  // The compiler tells more about a fault than this reader could.
  if (errors.length > 0) return code
  let answer = code
  for (const { start, end, moduleRequest, entries } of module.staticImports.toReversed()) {
    if (entries.length === 0) continue
    const kept: string[] = []
    for (const { importName, localName, isType } of entries) {
      const key = `${moduleRequest.value} ${importName.kind} ${importName.name} ${localName.value}`
      if (imported.has(key)) continue
      imported.add(key)
      const name = importName.name ?? (importName.kind === 'Default' ? 'default' : '*')
      kept.push(`${isType ? 'type ' : ''}${name} as ${localName.value}`)
    }
    if (kept.length === entries.length) continue
    const declaration = code.slice(start, end)
    // A namespace stands alone in its declaration: either all of it is repeated, or none.
    const rest = kept.length === 0 ? '' : `import { ${kept.join(', ')} } from '${moduleRequest.value}'`
    answer =
      answer.slice(0, start) + rest + '\n'.repeat(declaration.split('\n').length - 1) + answer.slice(end)
  }
  return answer
}
