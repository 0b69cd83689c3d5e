// Which Node runs this command: looked at before anything is loaded that an older one could not read.

/** The first version that has all that the command uses; the agent itself needs 26. */
const first = [22, 18] as const

/** What is wrong with this version of Node, in words; undefined where it can run the command. */
export function tooOld(version: string): string | undefined {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  if (major > first[0] || (major === first[0] && minor >= first[1])) return undefined
  return `error: shoal needs Node ${first.join('.')} or newer, and its agent Node 26; this is Node ${version}`
}
