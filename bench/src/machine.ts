// On what it was measured.
import { arch, cpus, loadavg, platform, totalmem } from 'node:os'

/** The machine and the Node that runs, in one line; it says so when the machine has more to do than this one process. */
export function machine(): string {
  const all = cpus()
  const model = all[0]?.model.trim() ?? 'unknown processor'
  const memory = Math.round(totalmem() / 2 ** 30)
  const [load] = loadavg()
  const busy =
    load! > 1.5 ? ` The machine was busy with other work meanwhile (load average ${load!.toFixed(1)}).` : ''
  return `${model}, ${all.length} CPUs, ${memory} GiB, ${platform()} ${arch()}, Node ${process.version}.${busy}`
}
