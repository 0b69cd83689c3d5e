// Which of several sayings counts: what comes first, for each setting on its own.
import type { ShoalConfig } from './config.ts'

/** The sections of a config whose records are put together by their names, and not replaced as a whole. */
const together = new Set(['data', 'set'])

/** The first that says something counts, for each setting. Of `data` and `set` each name counts on its own. */
export function mergeConfigs(...sayings: readonly ShoalConfig[]): ShoalConfig {
  return {
    folder: sayings.find(({ folder }) => folder !== undefined)?.folder,
    agent: mergeSettings(sayings.map(({ agent }) => agent ?? {})),
    job: mergeSettings(sayings.map(({ job }) => job ?? {})),
  }
}

function mergeSettings<Settings extends object>(sayings: readonly Settings[]): Settings {
  const merged: Record<string, unknown> = {}
  for (const saying of sayings.toReversed())
    for (const [field, value] of Object.entries(saying)) {
      if (value === undefined) continue
      merged[field] = together.has(field) ? { ...(merged[field] as object), ...(value as object) } : value
    }
  return merged as Settings
}
