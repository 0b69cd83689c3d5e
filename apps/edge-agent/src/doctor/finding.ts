// What an examination finds: one thing that is well, wrong, or cannot be told, in words that a person can act on.

/** What is examined, in the order in which people are told. */
export const subjects = [
  'node',
  'folder',
  'agent',
  'certificate',
  'clock',
  'multicast',
  'port',
  'neighbours',
  'gpu',
] as const
/** What is examined. */
export type Subject = (typeof subjects)[number]

/** One thing that was found. */
export interface Finding {
  readonly subject: Subject
  /** Is it well; does it keep something from working; or could it not be told, or may it be as it is wanted? */
  readonly verdict: 'good' | 'fault' | 'unknown'
  /** What was found. */
  readonly what: string
  /** What to do; empty where nothing is to be done. */
  readonly remedy: string
}

/** Findings about one subject. */
export const findingsOn = (subject: Subject) => ({
  good: (what: string): Finding => ({ subject, verdict: 'good', what, remedy: '' }),
  fault: (what: string, remedy: string): Finding => ({ subject, verdict: 'fault', what, remedy }),
  unknown: (what: string, remedy = ''): Finding => ({ subject, verdict: 'unknown', what, remedy }),
})

/** Bytes as people read them here: whole mebibytes, or tenths of gibibytes. */
export const sizeOf = (bytes: number): string =>
  bytes < 2 ** 30 ? `${Math.floor(bytes / 2 ** 20)} MiB` : `${(bytes / 2 ** 30).toFixed(1)} GiB`

/** A moment as people read it. @param at milliseconds since 1970. */
export const momentOf = (at: number): string => new Date(at).toISOString().replace(/\.\d+Z$/, 'Z')

/** How long, in the largest unit of which there is at least one: `3 minutes`. */
export function spanOf(ms: number): string {
  const units = [
    ['day', 86_400_000],
    ['hour', 3_600_000],
    ['minute', 60_000],
  ] as const
  const [name, size] = units.find(([, unit]) => ms >= unit) ?? (['second', 1000] as const)
  const count = Math.round(ms / size)
  return `${count} ${name}${count === 1 ? '' : 's'}`
}
