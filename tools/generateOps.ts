// Writes the list of all ops: every op file is found, imported and looked into, so that nobody keeps the list by hand.
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { files, root } from './workspace.ts'

const folder = 'packages/core/src/ops/'
/** The file that this program writes. */
export const opsIndexFile = `${folder}index.ts`

/** Files that only help to define ops: what they export is no public name. */
export const makers: ReadonlySet<string> = new Set([
  'elementwise.ts',
  'control/subgraph.ts',
  'linalg/contract.ts',
  'linalg/matrices.ts',
  'linalg/triangle.ts',
  'math/comparison.ts',
  'nn/activation.ts',
  'nn/normalize.ts',
  'nn/sampling.ts',
  'nn/window.ts',
  'rnn/recurrence.ts',
  'reduce/argExtreme.ts',
  'reduce/compositeReduction.ts',
  'reduce/extremeGrad.ts',
  'reduce/reduction.ts',
  'text/hash.ts',
  'text/regularExpression.ts',
  'text/stringOp.ts',
])

type Exports = Readonly<Record<string, unknown>>
const isOp = (value: unknown): value is { readonly def: { readonly name: string } } =>
  value !== null && (typeof value === 'object' || typeof value === 'function') && 'def' in value

/** The name by which most will look for an op; second names of the same op are not listed again. */
const properName = (op: { readonly def: { readonly name: string } }): string =>
  op.def.name.charAt(0).toLowerCase() + op.def.name.slice(1)

/** The names of a module's ops and of its lists of ops, as elements of an array literal. */
function opsOf(
  exports: Exports,
  proper: ReadonlyMap<unknown, string>,
): { readonly name: string; readonly element: string }[] {
  return Object.entries(exports).flatMap(([name, value]) => {
    if (isOp(value)) return (proper.get(value) ?? name) === name ? [{ name, element: name }] : []
    return Array.isArray(value) && value.length > 0 && value.every(isOp)
      ? [{ name, element: `...${name}` }]
      : []
  })
}

/** The text of ops/index.ts for the modules by their paths under ops/. */
function opsIndex(modules: ReadonlyMap<string, Exports>): string {
  const named = [...modules.values()].flatMap((exports) => Object.entries(exports))
  const proper = new Map(
    named.flatMap(([name, value]) =>
      isOp(value) && name === properName(value) ? [[value, name] as const] : [],
    ),
  )
  const rows = [...modules].map(([path, exports]) => ({ path, ops: opsOf(exports, proper) }))
  return [
    '// Written by tools/generateOps.ts: the public names of all op files, and the list of all ops.',
    "import type { AnyOp } from '../op.ts'",
    ...rows.flatMap(({ path, ops }) =>
      ops.length > 0 ? [`import { ${ops.map((op) => op.name).join(', ')} } from './${path}'`] : [],
    ),
    '',
    ...rows.filter(({ path }) => !makers.has(path)).map(({ path }) => `export * from './${path}'`),
    '',
    '/** Every op that comes with Shoal. */',
    'export const standardOps: readonly AnyOp[] = [',
    ...rows.flatMap(({ ops }) => ops.map(({ element }) => `  ${element},`)),
    ']',
    '',
  ].join('\n')
}

/** What ops/index.ts should say of the op files as they are. */
export async function currentOpsIndex(): Promise<string> {
  const paths = files(`${folder}**/*.ts`).filter(
    (path) => !path.endsWith('.test.ts') && path !== opsIndexFile,
  )
  const modules = new Map<string, Exports>()
  for (const path of paths) {
    modules.set(path.slice(folder.length), (await import(pathToFileURL(join(root, path)).href)) as Exports)
  }
  return opsIndex(modules)
}

if (import.meta.main) await writeFile(join(root, opsIndexFile), await currentOpsIndex())
