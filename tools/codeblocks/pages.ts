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

/** The programs of one page, and its shell blocks as one script. */
interface Page {
  readonly file: string
  /** Paths of modules to run, in order. */
  readonly modules: readonly string[]
  /** Empty where there is nothing to run. */
  readonly script: string
  /** Where the script begins: beside the files that the page names, or in the root. */
  readonly cwd: string
  readonly known: readonly string[]
}

const folderName = '.codeblocks'
const folder = join(root, folderName)
/** What every script finds: the command of this repository, by the name that it has where it is installed. */
const prelude = join(folder, 'prelude.sh')
const environment = { BASH_ENV: prelude, REPOSITORY: root, NODE_OPTIONS: '--conditions=@shoal/source' }

/** The code of README.md and docs, written down as programs: one check for the types of all, and one for each page that runs it. */
export function pageChecks(): readonly PageCheck[] {
  offerSoftwareGpu()
  prepareFolder()
  const pages = files(['README.md', 'docs/**/*.md', 'packages/*/README.md']).map(writePage)
  const typed = pages.some(({ modules }) => modules.length > 0)
  return [
    ...(typed ? [{ name: 'types of code in pages', run: checkTypes }] : []),
    ...pages
      .filter(({ modules, script }) => modules.length > 0 || script !== '')
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
  writeFileSync(
    prelude,
    'shoal() { node --conditions=@shoal/source "$REPOSITORY/packages/cli/src/main.ts" "$@"; }\n',
  )
}

function writePage(file: string): Page {
  const blocks = extractBlocks(text(file))
  const of = (...names: readonly string[]) => blocks.filter(({ language }) => names.includes(language))
  const modules: string[] = []
  const write = (part: readonly CodeBlock[], path: string): string => {
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, assemble(part, path))
    return path
  }
  const named = blocks.filter((block) => fileName(block) !== undefined)
  const beside = join(folder, file.replace(/\.md$/, ''))
  for (const block of named) write([block], join(beside, fileName(block)!))
  for (const extension of ['ts', 'js'] as const) {
    const code = extension === 'ts' ? of('ts', 'typescript') : of('js', 'javascript')
    const alone = ({ words }: CodeBlock) => words.includes('alone')
    const together = code.filter((block) => !alone(block) && !named.includes(block))
    if (together.length > 0) modules.push(write(together, join(folder, `${file}.${extension}`)))
    for (const block of code.filter(alone))
      modules.push(write([block], join(folder, `${file}.${block.line}.${extension}`)))
  }
  const commands = of('bash', 'sh').map(({ code }) => splitCommands(code))
  return {
    file,
    modules,
    script: commands.flatMap(({ script }) => (script === '' ? [] : [script])).join('\n'),
    cwd: named.length > 0 ? beside : root,
    known: commands.flatMap(({ known }) => known),
  }
}

/** The file that a block is, where its fence names one: `train.ts`. */
const fileName = ({ language, words }: CodeBlock): string | undefined =>
  words.find((word) => word.endsWith(`.${language}`))

function checkTypes(): Promise<Ended> {
  return run('tsc', ['-p', folder])
}

async function runPage({ file, modules, script, cwd, known }: Page): Promise<Ended> {
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
  if (script !== '') {
    const how = { cwd, env: environment, timeoutMs: 240_000 }
    const ended = await run('bash', ['-euo', 'pipefail', '-c', script], how)
    if (!add(`${file}: its commands`, ended)) return { ok: false, output, seconds }
  }
  return { ok: true, output, seconds }
}
