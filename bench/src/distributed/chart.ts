// A picture of the rates between processes.
import { type Chart, writeChart } from '../report/charts.ts'
import { quartiles } from '../statistics.ts'
import type { Transfer } from './measure.ts'

const links = ['TLS', 'clear'] as const

/** The name of the picture. */
export const wireChart = 'wire'

/** Draws what is fetched in a second, by who carries it. */
export function writeWireChart(transfers: readonly Transfer[]): void {
  const groups = links.flatMap((link) =>
    transfers.flatMap(({ work, samples }) => {
      if (work.kind !== 'pull' || work.link !== link) return []
      const bars = [...samples].map(([name, spent]) => ({
        name,
        value: quartiles(spent.map(({ ms }) => work.bytes / ms / 1000)),
      }))
      return [{ label: `${work.title}, ${link === 'TLS' ? 'under TLS' : 'in clear'}`, bars }]
    }),
  )
  const chart: Chart = { title: 'Fetched from another process', axis: 'MB/s, more is better', groups }
  writeChart(wireChart, chart)
}
