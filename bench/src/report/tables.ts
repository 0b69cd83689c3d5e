// The tables of a full run, in Markdown.
import type { Comparison } from '../compare.ts'
import type { Book } from '../counts.ts'
import type { Quantity } from '../quantity.ts'
import type { Quartiles } from '../statistics.ts'
import { ratio, summary } from '../statistics.ts'
import type { Results, Target } from '../targets.ts'
import { meets } from '../targets.ts'
import type { GpuBook } from '../webgpu/counts.ts'
import { boundBy } from '../work.ts'

/** Three digits that say something. */
export const digits = (value: number): string =>
  value >= 100
    ? value.toFixed(0)
    : value >= 10
      ? value.toFixed(1)
      : value >= 0.1
        ? value.toFixed(2)
        : value.toPrecision(2)

/** `12.3 (11.9 to 13.0)` */
export const spread = ({ median, lower, upper }: Quartiles): string =>
  lower === upper ? digits(median) : `${digits(median)} (${digits(lower)} to ${digits(upper)})`

/** A table from its head and its rows. */
export const markdownTable = (head: readonly string[], rows: readonly (readonly string[])[]): string[] =>
  [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`)

/** Every target beside what was measured. */
export function targetTable(targets: readonly Target[], results: Results): string[] {
  let last = ''
  const rows = targets.map(({ group, says, bound, unit = '', read }) => {
    const readings = read(results)
    const suffix = unit === '×' ? ' ×' : unit && ` ${unit}`
    const told = readings.map(({ of, value }) => `${of && `${of} `}${digits(value)}${suffix}`).join(', ')
    const missed = readings.filter(({ value }) => !meets(bound, value))
    const verdict =
      readings.length === 0
        ? 'not measured'
        : missed.length === 0
          ? 'yes'
          : missed.length === readings.length
            ? '**no**'
            : `**no**: ${missed.map(({ of }) => of).join(', ')}`
    const asked = 'atLeast' in bound ? `≥ ${bound.atLeast}${suffix}` : `≤ ${bound.atMost}${suffix}`
    const shown = group === last ? '' : group
    last = group
    return [shown, says, asked, told || '–', verdict]
  })
  return markdownTable(['', 'what', 'target', 'measured', 'met'], rows)
}

/** Works of one family: what Shoal takes, and how many times as long everybody else. */
export function comparisonTable(comparisons: readonly Comparison[]): string[] {
  const others = [...new Set(comparisons.flatMap(namesOf))].filter((name) => name !== 'shoal')
  const rows = comparisons.map((comparison) => {
    const ours = comparison.samples.get('shoal')
    if (!ours) return [comparison.work.title, 'wrong', '', ...others.map(() => '')]
    return [
      comparison.work.title,
      spread(summary(ours)),
      rateOf(comparison, summary(ours).median),
      ...others.map((name) => cell(comparison, name)),
    ]
  })
  return markdownTable(['', 'Shoal, ms', 'rate', ...others.map((name) => `${name}, ×`)], rows)
}

const namesOf = ({ samples, faults, tooSlow }: Comparison): string[] => [
  ...samples.keys(),
  ...faults.keys(),
  ...tooSlow,
]

function cell({ samples, faults, tooSlow }: Comparison, name: string): string {
  const theirs = samples.get(name)
  const found = theirs && ratio(theirs, samples.get('shoal')!)
  if (found) return spread(found)
  if (faults.has(name)) return 'wrong'
  return tooSlow.includes(name) ? 'too slow' : '–'
}

/** GFLOP/s where arithmetic counts, GB/s where memory does. */
function rateOf({ work }: Comparison, ms: number): string {
  const bound = boundBy(work)
  if (!bound) return ''
  return bound === 'arithmetic'
    ? `${digits(work.flops / ms / 1e6)} GFLOP/s`
    : `${digits(work.bytes / ms / 1e6)} GB/s`
}

/** Quantities with those of others beside them. */
export function quantityTable(quantities: readonly Quantity[]): string[] {
  const others = [...new Set(quantities.flatMap(({ peers }) => [...(peers?.keys() ?? [])]))]
  const rows = quantities.map(({ title, unit, value, peers }) => [
    `${title}${unit && `, ${unit}`}`,
    spread(value),
    ...others.map((name) => {
      const theirs = peers?.get(name)
      return theirs ? spread(theirs) : '–'
    }),
  ])
  return markdownTable(['', 'Shoal', ...others], rows)
}

const mebibytes = (bytes: number): string => digits(bytes / 2 ** 20)

/** Kernels and bytes of every work. */
export const countTable = (counts: Book): string[] =>
  markdownTable(
    ['work', 'kernels', 'moved, MiB', 'held, MiB'],
    Object.entries(counts).map(([name, { kernels, bytes, arena }]) => [
      name,
      `${kernels}`,
      mebibytes(bytes),
      mebibytes(arena),
    ]),
  )

/** What every work asks of a GPU. */
export const gpuCountTable = (counts: GpuBook): string[] =>
  markdownTable(
    [
      'work',
      'submits',
      'dispatches',
      'uploaded, bytes',
      'read back, bytes',
      'pipelines',
      'WGSL, characters',
      'held, MiB',
    ],
    Object.entries(counts).map(([name, each]) => [
      name,
      ...[
        each.submits,
        each.dispatches,
        each.uploadedBytes,
        each.readBytes,
        each.pipelines,
        each.characters,
      ].map(String),
      mebibytes(each.heldBytes),
    ]),
  )
