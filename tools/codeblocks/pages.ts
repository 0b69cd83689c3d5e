// Runs the code that the documentation shows, so that what is shown works.
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { type Ended, run } from '../run.ts'
import { offerSoftwareGpu } from '../softwareGpu.ts'
import { files, root, text } from '../workspace.ts'
import { assemble } from './assemble.ts'
import { splitCommands } from './commands.ts'
import { type CodeBlock, extractBlocks } from './extract.ts'
import { linkedFolder } from './linkedFolder.ts'

/** One page, or the types of all of them, to be run. */
export interface PageCheck {
  readonly name: string
  readonly run: () => Promise<Ended>
}

/** The programs and scripts of one page. */
interface Page {
  readonly file: string
  /** Paths of modules to run, in order. */
  readonly modules: readonly string[]
  readonly scripts: readonly { readonly line: number; readonly script: string }[]
  readonly known: readonly string[]
}

const folderName = '.codeblocks'
const folder = join(root, folderName)

/** The code of README.md and docs, written down as programs: one check for the types of all, and one for each page that runs it. */
export function pageChecks(): readonly PageCheck[] {
  offerSoftwareGpu()
  prepareFolder()
  const pages = files(['README.md', 'docs/**/*.md', 'packages/*/README.md']).map(writePage)
  const typed = pages.some(({ modules }) => modules.length > 0)
  return [
    ...(typed ? [{ name: 'types of code in pages', run: checkTypes }] : []),
    ...pages
      .filter(({ modules, scripts }) => modules.length + scripts.length > 0)
      .map((page) => ({ name: `code in ${page.file}`, run: () => runPage(page) })),
  ]
}

/** Makes an empty folder from which every public package of the workspace can be imported by its name. */
function prepareFolder(): void {
  linkedFolder(folderName)
  // Modules of one page run beside each other: all that they declare is their own.
  const settings = {
    extends: '../tsconfig.json',
    compilerOptions: { moduleDetection: 'force' },
    include: ['**/*.ts'],
    exclude: ['node_modules'],
  }
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(settings))
}

function writePage(file: string): Page {
  const blocks = extractBlocks(text(file))
  const of = (...names: readonly string[]) => blocks.filter(({ language }) => names.includes(language))
  const modules: string[] = []
  const write = (part: readonly CodeBlock[], suffix: string) => {
    if (part.length === 0) return
    const path = join(folder, `${file}${suffix}`)
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, assemble(part, path))
    modules.push(path)
  }
  for (const extension of ['ts', 'js'] as const) {
    const code = extension === 'ts' ? of('ts', 'typescript') : of('js', 'javascript')
    const alone = ({ words }: CodeBlock) => words.includes('alone')
    write(
      code.filter((block) => !alone(block)),
      `.${extension}`,
    )
    for (const block of code.filter(alone)) write([block], `.${block.line}.${extension}`)
  }
  const commands = of('bash', 'sh').map(({ line, code }) => ({ line, ...splitCommands(code) }))
  return {
    file,
    modules,
    scripts: commands.filter(({ script }) => script !== ''),
    known: commands.flatMap(({ known }) => known),
  }
}

function checkTypes(): Promise<Ended> {
  return run('tsc', ['-p', folder])
}

async function runPage({ file, modules, scripts, known }: Page): Promise<Ended> {
  let output = known.map((command) => `${file}: set-up, not run again: ${command}\n`).join('')
  let seconds = 0
  const add = (what: string, ended: Ended): boolean => {
    output += `${what}\n${ended.output}`
    seconds += ended.seconds
    return ended.ok
  }
  for (const path of modules) {
    const ended = await run('node', ['--conditions=@shoal/source', path], { timeoutMs: 120_000 })
    if (!add(path.slice(folder.length + 1), ended)) return { ok: false, output, seconds }
  }
  for (const { line, script } of scripts) {
    const ended = await run('bash', ['-euo', 'pipefail', '-c', script], { timeoutMs: 120_000 })
    if (!add(`${file}:${line}`, ended)) return { ok: false, output, seconds }
  }
  return { ok: true, output, seconds }
}
