// Bar charts as SVG: groups of horizontal bars, one bar a contender, with whiskers from quartile to quartile.
import { mkdirSync, writeFileSync } from 'node:fs'
import type { Quartiles } from '../statistics.ts'
import { digits } from './tables.ts'

/** Bars that belong together. */
export interface BarGroup {
  readonly label: string
  readonly bars: readonly { readonly name: string; readonly value: Quartiles }[]
}

/** A chart. */
export interface Chart {
  readonly title: string
  /** What the length of a bar means. */
  readonly axis: string
  readonly groups: readonly BarGroup[]
}

const colours: { readonly [name: string]: string } = {
  shoal: '#0b7285',
  'shoal, 2 threads': '#3bc9db',
  'shoal, BLAS': '#099268',
  'fma peak': '#ced4da',
  'memory.copy': '#ced4da',
  'shoal, WebSocket': '#3bc9db',
  bare: '#ced4da',
  'bare, copied': '#adb5bd',
  'grpc-js unary': '#f76707',
  'tfjs-cpu': '#ffc9c9',
  'tfjs-wasm': '#f76707',
  'jax-js': '#e8b90c',
  'onnxruntime-web': '#9775fa',
  'onnxruntime-node': '#5f3dc4',
  pytorch: '#c92a2a',
}
const width = 760
const left = 250
const right = 70
const bar = { height: 11, gap: 2 }
const groupGap = 12
const top = 62

const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')

const text = (x: number, y: number, content: string, extra = ''): string =>
  `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" ${extra}>${escaped(content)}</text>`

/** Writes a chart into docs/charts. */
export function writeChart(name: string, chart: Chart): void {
  const folder = new URL('../../../docs/charts/', import.meta.url)
  mkdirSync(folder, { recursive: true })
  writeFileSync(new URL(`${name}.svg`, folder), svg(chart))
}

/** The chart as the text of an SVG file. */
export function svg({ title, axis, groups }: Chart): string {
  const most = Math.max(...groups.flatMap(({ bars }) => bars.map(({ value }) => value.median)))
  const scale = (width - left - right) / most
  const names = [...new Set(groups.flatMap(({ bars }) => bars.map(({ name }) => name)))]
  const parts: string[] = []
  let y = top
  for (const { label, bars } of groups) {
    const height = bars.length * (bar.height + bar.gap)
    parts.push(text(left - 8, y + height / 2 + 3, label, 'text-anchor="end"'))
    for (const { name, value } of bars) {
      const length = value.median * scale
      const middle = y + bar.height / 2
      parts.push(
        `<rect x="${left}" y="${y}" width="${length.toFixed(1)}" height="${bar.height}" fill="${colours[name] ?? '#868e96'}"/>`,
        `<path d="M${(left + value.lower * scale).toFixed(1)} ${middle}H${(left + Math.min(value.upper, most) * scale).toFixed(1)}" stroke="#212529" stroke-width="1"/>`,
        text(left + length + 5, y + bar.height - 2, digits(value.median), 'class="number"'),
      )
      y += bar.height + bar.gap
    }
    y += groupGap
  }
  const legend = names.map((name, i) => {
    const x = left + (i % 4) * 125
    const line = 30 + 14 * Math.floor(i / 4)
    return `<rect x="${x}" y="${line - 8}" width="9" height="9" fill="${colours[name] ?? '#868e96'}"/>${text(x + 13, line, name)}`
  })
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${y + 8}" font-family="sans-serif" font-size="11">
<rect width="100%" height="100%" fill="#fff"/>
<style>text{fill:#212529}.number{font-size:9px;fill:#495057}.title{font-size:14px;font-weight:bold}</style>
${text(12, 18, title, 'class="title"')}
${text(12, 34, axis)}
${legend.join('\n')}
${parts.join('\n')}
</svg>
`
}
