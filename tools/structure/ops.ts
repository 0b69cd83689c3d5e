// What every op owes the project: a case that all devices are held to, and a file that can be loaded by itself.
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { currentOpsIndex, opsIndexFile } from '../generateOps.ts'
import { files, has, root, text } from '../workspace.ts'

const opsListFile = 'packages/core/src/ops/standardOps.ts'
const conformanceIndex = 'packages/conformance/src/index.ts'

/** The part of an op that this rule reads. */
interface NamedOp {
  readonly def: { readonly name: string }
}

/** The ops among `ops` that no conformance case is named for. */
export function opsWithoutCase(ops: readonly NamedOp[], cases: ReadonlySet<string>): readonly string[] {
  return ops
    .filter(({ def }) => !cases.has(def.name))
    .map(({ def }) => `op ${def.name} has no conformance case`)
}

/** The standard ops without a conformance case. */
export async function unprovenOps(): Promise<readonly string[]> {
  const missing = [opsListFile, conformanceIndex].filter((file) => !has(file))
  if (missing.length > 0) return missing.map((file) => `${file} is missing`)
  const { standardOps } = (await load(opsListFile)) as { standardOps: readonly NamedOp[] }
  const { caseNames } = (await load(conformanceIndex)) as { caseNames: () => ReadonlySet<string> }
  return opsWithoutCase(standardOps, caseNames())
}

/** Says so when the list of op files is not the one that there should be, the formatter's line breaks aside. */
export async function staleOpsList(): Promise<readonly string[]> {
  const letters = (source: string) => source.replace(/[\s,]/g, '')
  const stale = letters(text(opsIndexFile)) !== letters(await currentOpsIndex())
  return stale ? [`${opsIndexFile} is out of date: run 'npm run ops'`] : []
}

const load = (file: string): Promise<unknown> => import(pathToFileURL(join(root, file)).href)

/** Those of the files `paths` that fail when they are the first to be imported. */
export async function failingAlone(paths: readonly string[]): Promise<readonly string[]> {
  const program = join(import.meta.dirname, 'importAlone.ts')
  const options = { cwd: root, maxBuffer: 2 ** 24 }
  const { stdout } = await promisify(execFile)(
    'node',
    ['--conditions=@shoal/source', program, ...paths],
    options,
  )
  return JSON.parse(stdout) as readonly string[]
}

/** The op files of core that fail when they are the first to be imported. */
export function dependentOpFiles(): Promise<readonly string[]> {
  const all = files('packages/core/src/ops/**/*.ts')
  return failingAlone(all.filter((file) => !file.endsWith('.test.ts')))
}
