// What the command line asks for: works and measurements by the beginnings of their names.

/**
 * Says of a name whether it is asked for: it begins as one of `starts`, or there are none.
 * @throws Error for beginnings that no name has
 */
export function asking(starts: readonly string[], names: readonly string[]): (name: string) => boolean {
  const unmatched = starts.filter((start) => !names.some((name) => name.startsWith(start)))
  if (unmatched.length > 0)
    throw new Error(`nothing is called ${unmatched.join(', ')}: there are ${names.join(', ')}`)
  return (name) => starts.length === 0 || starts.some((start) => name.startsWith(start))
}
