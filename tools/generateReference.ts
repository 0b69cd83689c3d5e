// Writes the op reference, docs/ops: one page a family, everything on it read off the definitions of the ops.
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { AnyOp, AttrValue, OpDef } from '../packages/core/src/index.ts'
import { dtypeNames, NDArray } from '../packages/core/src/index.ts'
import { kernelDefs } from '../packages/kernels-cpu/src/kernels/index.ts'
import { madeByOthers, makers } from './generateOps.ts'
import { optionSections, optionTypes } from './optionTypes.ts'
import { has, opFiles, root, text } from './workspace.ts'

/** Where the pages stand. */
export const referenceFolder = 'docs/ops'

const families: Readonly<Record<string, string>> = {
  '': 'Constants',
  array: 'Arrays: shape, order, parts, rows',
  control: 'Branches, loops, functions',
  debug: 'Checks and messages',
  graph: 'What holds a graph together',
  linalg: 'Linear algebra',
  loss: 'Losses',
  math: 'Element-wise mathematics',
  nn: 'Neural networks',
  quantize: 'Quantised arithmetic',
  random: 'Random numbers',
  reduce: 'Reductions, running and by segment',
  rnn: 'Recurrent networks',
  sparse: 'Sparse tensors',
  state: 'Variables, queues and other state',
  text: 'Text',
}

interface Entry {
  /** What users call; undefined for what other ops and functions make. */
  readonly name: string | undefined
  /** Its other names. */
  readonly aliases: readonly string[]
  readonly def: OpDef
}

/** An op under one of the names that op files export. */
interface Found {
  readonly name: string | undefined
  readonly def: OpDef
}

/** A plain function that builds ops. */
interface Builder {
  readonly name: string
  readonly signature: string
  readonly doc: string
}

/** The pages of the reference by their paths below the root. */
export async function referencePages(): Promise<ReadonlyMap<string, string>> {
  const found = new Map<string, Found[]>()
  const builders = new Map<string, Builder[]>()
  for (const path of opFiles()) {
    const exports = (await import(pathToFileURL(join(root, path)).href)) as Readonly<Record<string, unknown>>
    const parts = path.split('/ops/')[1]!.split('/')
    const family = parts.length > 1 ? parts[0]! : ''
    const list = found.get(family) ?? []
    found.set(family, list)
    if (!makers.has(parts.join('/')))
      builders.set(family, [...(builders.get(family) ?? []), ...buildersOf(text(path), exports)])
    // Who loads a module decides the order of its names.
    const names = Object.keys(exports).sort()
    list.push(...names.flatMap((name) => opsOf(name, exports[name])))
  }
  const pages = new Map<string, string>()
  const rows: string[] = []
  for (const [family, all] of [...found]
    .filter(([at, all]) => all.length + (builders.get(at)?.length ?? 0) > 0)
    .sort(([a], [b]) => a.localeCompare(b))) {
    const list = entriesOf(all)
    const functions = builders.get(family) ?? []
    const names = [...list, ...functions].flatMap(({ name }) => name ?? [])
    const file = `${family || 'constant'}.md`
    const title = families[family] ?? family
    pages.set(`${referenceFolder}/${file}`, page(title, list, functions))
    rows.push(`| [${title}](${file}) | ${names.map((name) => `\`${name}\``).join(' ')} |`)
  }
  pages.set(
    `${referenceFolder}/README.md`,
    [...heading, '| family | ops |', '| --- | --- |', ...rows, ''].join('\n'),
  )
  return pages
}

const heading = [
  '# The ops',
  '',
  'Written by `npm run reference` from the definitions of the ops in `packages/core/src/ops`; do not edit.',
  '',
  'An op is called with its inputs, then an object of attributes: `matmul(a, b, { transposeB: true })`. Plain numbers become constants of the',
  'dtype of the other inputs. Names in capitals, like `MatMul`, are those in graphs, traces and messages.',
  '',
]

const isOp = (value: unknown): value is AnyOp =>
  value !== null && (typeof value === 'object' || typeof value === 'function') && 'def' in value

function opsOf(name: string, value: unknown): Found[] {
  if (Array.isArray(value)) return value.filter(isOp).map(({ def }) => ({ name: undefined, def }))
  if (!isOp(value)) return []
  return [{ name: typeof value === 'function' ? name : undefined, def: value.def }]
}

/** Every op once, under the name that is that of its definition, where the file stands that says so. */
function entriesOf(found: readonly Found[]): Entry[] {
  const entries = new Map<string, Entry>()
  const isProper = ({ name, def }: Found): boolean => name?.toLowerCase() === def.name.toLowerCase()
  const proper = new Set(found.filter(isProper).map(({ def }) => def.name))
  for (const { name, def } of found.filter((op) => isProper(op) || !proper.has(op.def.name)))
    if (!entries.has(def.name)) {
      const all = found.flatMap((op) => (op.def.name === def.name && op.name !== name ? (op.name ?? []) : []))
      entries.set(def.name, { name: madeByOthers.has(def.name) ? undefined : name, aliases: all, def })
    }
  return [...entries.values()]
}

function page(title: string, entries: readonly Entry[], functions: readonly Builder[]): string {
  const built = functions.flatMap(({ name, signature, doc }) => [
    `## ${name}`,
    '',
    `\`${signature}\``,
    '',
    doc,
    '',
  ])
  const called = entries.filter(({ name }) => name !== undefined)
  const made = entries.filter(({ name }) => name === undefined)
  const options = optionSections(
    functions.map(({ signature }) => signature),
    optionTypes(),
  )
  return [`# ${title}`, '', ...called.flatMap(section), ...built, ...options, ...made.flatMap(section)].join(
    '\n',
  )
}

/** The exported functions of an op file that are not ops themselves, with their docstrings. */
function buildersOf(source: string, exports: Readonly<Record<string, unknown>>): Builder[] {
  const documented = /\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\nexport (?:const|function) (\w+)/g
  return [...source.matchAll(documented)].flatMap(([whole, comment, name], i, all) => {
    const value = exports[name!]
    if (
      typeof value !== 'function' ||
      isOp(value) ||
      Function.prototype.toString.call(value).startsWith('class ')
    )
      return []
    const from = all[i]!.index + whole.length
    return [{ name: name!, signature: `${name}${parameters(source, from)}`, doc: prose(comment!) }]
  })
}

/** The parameters of a function that is declared up to `from`, on one line; of one that another makes, those that this one gives it. */
function parameters(source: string, from: number): string {
  const rest = source.slice(from)
  const own = /^(?:<[^>]*>)?(?=\()|^(?:: [^=]+)? =\s+(?:<[^>]*>)?(?=\()/.exec(rest)
  if (own) return oneLine(bracketed(source, from + own[0].length))
  const [, origin, call] = /^(?:: \w+)? = (\w+)(\(?)/.exec(rest) ?? []
  const declared = origin && new RegExp(`^(?:export )?(?:const|function) ${origin}\\b`, 'm').exec(source)
  if (!declared)
    throw new Error(`the parameters of what begins with '${rest.slice(0, 40)}' are not to be seen`)
  const end = declared.index + declared[0].length
  if (!call) return parameters(source, end)
  const start = source.indexOf('(', end)
  const next = start + bracketed(source, start).length
  const made = /^(?:: \w+)?(?: =>| \{\s+return)\s+(?=\()/.exec(source.slice(next))
  if (!made) throw new Error(`${origin} does not begin with the function that it makes`)
  return oneLine(bracketed(source, next + made[0].length))
}

/** The text from the bracket at `start` to the one that closes it. */
function bracketed(source: string, start: number): string {
  let depth = 0
  for (let at = start; at < source.length; at++) {
    if ('([{'.includes(source[at]!)) depth++
    if (')]}'.includes(source[at]!) && --depth === 0) return source.slice(start, at + 1)
  }
  throw new Error('a bracket is not closed')
}

const oneLine = (list: string): string =>
  list
    .replace(/\s+/g, ' ')
    .replace(/,? \)$/, ')')
    .replace('( ', '(')
    .replace(/ as \w+\)$/, ')')

const prose = (comment: string): string =>
  comment
    .split('\n')
    .map((line) => line.replace(/^\s*\* ?/, '').trim())
    .join('\n')
    .trim()
    .replace(/\n(?=@)/, '\n\n')
    .replace(/\n@param (\S+) /g, '\n- `$1`: ')
    .replace(/\n@returns? /g, '\n- returns ')
    .replace(/\n@throws /g, '\n- throws ')

function section({ name, aliases, def }: Entry): string[] {
  const called = name === undefined ? def.name : `${name}(${callOf(def)})`
  return [
    `## ${name ?? def.name}`,
    '',
    `\`${called}\` → ${def.outputs === 'list' ? 'a list of tensors' : def.outputs.map((o) => `\`${o}\``).join(', ')}`,
    '',
    def.doc,
    '',
    ...(name === undefined ? ['Made by other ops and functions, not to be called.', ''] : []),
    ...(name !== undefined && aliases.length > 0
      ? [`Also ${aliases.map((alias) => `\`${alias}\``).join(', ')}.`, '']
      : []),
    ...inputsTable(def),
    ...attributesTable(def),
    `*${facts(def).join('; ')}.*`,
    '',
  ]
}

const callOf = (def: OpDef): string => {
  const inputs = def.variadic && def.inputs.length === 1 ? ['[…]'] : [...def.inputs]
  return [...inputs, ...(Object.keys(def.attrs).length > 0 ? ['{ … }'] : [])].join(', ')
}

function inputsTable(def: OpDef): string[] {
  if (def.inputs.length === 0) return []
  const rows = def.inputs.map((input, i) => {
    const dtypes = def.dtypes[Math.min(i, def.dtypes.length - 1)]
    const lends = def.traits.shapeOnly?.(i) ? '; lends only its shape' : ''
    return `| \`${input}\` | ${dtypes && dtypes.length < dtypeNames.length ? dtypes.join(', ') : 'any dtype'}${lends} |`
  })
  return ['| input | dtypes |', '| --- | --- |', ...rows, '']
}

function attributesTable(def: OpDef): string[] {
  const rows = Object.entries(def.attrs).map(
    ([key, { doc, expects, optional, default: fallback }]) =>
      `| \`${key}\` | ${expects.replaceAll('|', '\\|')} | ${optional ? describe(fallback) : 'required'} | ${doc} |`,
  )
  return rows.length === 0
    ? []
    : ['| attribute | type | default | meaning |', '| --- | --- | --- | --- |', ...rows, '']
}

const describe = (value: AttrValue): string =>
  value === undefined ? 'none' : `\`${value instanceof NDArray ? 'an array' : JSON.stringify(value)}\``

const bodies: Readonly<Record<OpDef['body']['kind'], string>> = {
  scalar: 'an expression per element, fused with its neighbours',
  view: 'an index map, fused with its readers',
  reduce: 'a reduction, fused with what leads to it and follows it',
  composite: 'made of other ops',
  kernel: 'hand-written for each device',
  runtime: 'done by the executor',
}

function facts({ name, body, grad, traits }: OpDef): string[] {
  const host = body.kind === 'runtime' && body.role === 'host'
  return [
    `\`${name}\`: ${host ? 'computed on the host' : bodies[body.kind]}`,
    ...(body.kind === 'kernel'
      ? [
          kernelDefs.some(({ op }) => op === name)
            ? 'WebAssembly on `cpu`'
            : 'plain TypeScript on `cpu`: right, but not fast',
        ]
      : []),
    grad || body.kind === 'composite' ? 'differentiable where its inputs are floats' : 'no gradient',
    ...(traits.effect
      ? [
          { read: 'reads state', write: 'changes state', external: 'has an effect outside the graph' }[
            traits.effect
          ],
        ]
      : []),
  ]
}

/** Pages that do not say what the definitions say. */
export async function stalePages(): Promise<readonly string[]> {
  const pages = await referencePages()
  return [...pages]
    .filter(([path, page]) => !has(path) || text(path) !== page)
    .map(([path]) => `${path} is out of date: run 'npm run reference'`)
}

if (import.meta.main) {
  rmSync(join(root, referenceFolder), { recursive: true, force: true })
  mkdirSync(join(root, referenceFolder), { recursive: true })
  for (const [path, page] of await referencePages()) writeFileSync(join(root, path), page)
}
