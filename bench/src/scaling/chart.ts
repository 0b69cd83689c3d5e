// Efficiency over the number of workers as SVG: a line for each strategy, and dashes where it was predicted.
import { mkdirSync, writeFileSync } from 'node:fs'
import { predictedMs } from './predictions.ts'
import { computeMs, type Link, links, strategies, type Strategy } from './setting.ts'

/** What is drawn of one strategy. */
export type Curve = readonly (readonly [workers: number, efficiency: number])[]

const colours: { readonly [strategy in Strategy]: string } = {
  'ps-sync': '#c92a2a',
  'ps-async': '#f76707',
  ring: '#3bc9db',
  'ring-16bit': '#0b7285',
  'local-sgd': '#5f3dc4',
}
const [width, height] = [760, 360]
const plot = { left: 50, right: 590, top: 44, bottom: 318 }

/** The picture of a link: 'scaling-1gbps'. */
export const chartName = (link: Link): string =>
  `scaling-${link.replace(' ', '').replace('/', 'p').toLowerCase()}`

/** Writes the picture of a link into docs/charts. */
export function writeScalingChart(link: Link, curves: ReadonlyMap<Strategy, Curve>): void {
  const folder = new URL('../../../docs/charts/', import.meta.url)
  mkdirSync(folder, { recursive: true })
  writeFileSync(new URL(`${chartName(link)}.svg`, folder), scalingSvg(link, curves))
}

/** The picture as the text of an SVG file. */
export function scalingSvg(link: Link, curves: ReadonlyMap<Strategy, Curve>): string {
  const counts = [...new Set([...curves.values()].flat().map(([workers]) => workers))].sort((a, b) => a - b)
  const most = Math.log2(counts.at(-1) ?? 2) || 1
  const x = (workers: number): string =>
    (plot.left + (Math.log2(workers) / most) * (plot.right - plot.left)).toFixed(1)
  const y = (efficiency: number): string => (plot.bottom - efficiency * (plot.bottom - plot.top)).toFixed(1)
  const path = (points: Curve): string =>
    points.map(([workers, efficiency], i) => `${i === 0 ? 'M' : 'L'}${x(workers)} ${y(efficiency)}`).join('')
  const lines = [...curves].map(([strategy, points]) => {
    const stroke = `stroke="${colours[strategy]}" fill="none"`
    const predicted = points.map(
      ([workers]) =>
        [
          workers,
          computeMs / predictedMs({ strategy, workers, bytesPerSecond: links[link], scale: 1 }),
        ] as const,
    )
    const dots = points.map(
      ([workers, e]) => `<circle cx="${x(workers)}" cy="${y(e)}" r="3" fill="${colours[strategy]}"/>`,
    )
    return `<path d="${path(predicted)}" ${stroke} stroke-dasharray="3 4"/><path d="${path(points)}" ${stroke} stroke-width="2"/>${dots.join('')}`
  })
  const shares = [0, 0.2, 0.4, 0.6, 0.8, 1]
  const grid = shares.map(
    (share) =>
      `<path d="M${plot.left} ${y(share)}H${plot.right}" stroke="#dee2e6"/><text x="${plot.left - 8}" y="${y(share)}" dy="4" text-anchor="end">${share}</text>`,
  )
  const ticks = counts.map(
    (count) => `<text x="${x(count)}" y="${plot.bottom + 18}" text-anchor="middle">${count}</text>`,
  )
  const legend = [...curves.keys()].map((strategy, i) => {
    const at = plot.top + 10 + 20 * i
    return `<rect x="${plot.right + 22}" y="${at - 8}" width="10" height="10" fill="${colours[strategy]}"/><text x="${plot.right + 38}" y="${at + 1}">${strategies[strategy]}</text>`
  })
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="11">
<rect width="100%" height="100%" fill="#fff"/>
<style>text{fill:#212529}.title{font-size:14px;font-weight:bold}</style>
<text x="12" y="18" class="title">Efficiency over ${link}, simulated</text>
<text x="12" y="34">share of the speed of as many machines that do not exchange anything; dashed: predicted</text>
${grid.join('\n')}
${ticks.join('\n')}
<text x="${(plot.left + plot.right) / 2}" y="${plot.bottom + 36}" text-anchor="middle">workers</text>
${lines.join('\n')}
${legend.join('\n')}
</svg>
`
}
