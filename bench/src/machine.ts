// On what it was measured.
import { arch, cpus, platform, totalmem } from 'node:os'

/** The machine and the Node that runs, in one line. */
export function machine(): string {
  const all = cpus()
  const model = all[0]?.model.trim() ?? 'unknown processor'
  const memory = Math.round(totalmem() / 2 ** 30)
  return `${model}, ${all.length} CPUs, ${memory} GiB, ${platform()} ${arch()}, Node ${process.version}`
}
