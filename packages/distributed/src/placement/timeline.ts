// What one device or one link is busy with: stretches of time that do not touch, so that a device that never waits has one.

/** The busy stretches, in order. */
export class Timeline {
  private readonly starts: number[] = []
  private readonly ends: number[] = []

  /** Takes the first free piece of `duration`, more than 0, that does not begin before `ready`. Answers when it begins. */
  take(ready: number, duration: number): number {
    const { starts, ends } = this
    let at = ready
    let next = firstAbove(ends, ready)
    for (; next < starts.length && starts[next]! < at + duration; next++) at = Math.max(at, ends[next]!)
    const end = at + duration
    const follows = next > 0 && ends[next - 1] === at
    const leads = next < starts.length && starts[next] === end
    if (follows && leads) {
      starts.splice(next, 1)
      ends.splice(next - 1, 1)
    } else if (follows) ends[next - 1] = end
    else if (leads) starts[next] = at
    else {
      starts.splice(next, 0, at)
      ends.splice(next, 0, end)
    }
    return at
  }

  /** Gives back a piece that was taken: where `take` said that it begins, and of the same `duration`. */
  giveBack(start: number, duration: number): void {
    const { starts, ends } = this
    const end = start + duration
    const i = firstAbove(starts, start) - 1
    const before = starts[i]! < start
    const after = end < ends[i]!
    if (before && after) {
      starts.splice(i + 1, 0, end)
      ends.splice(i, 0, start)
    } else if (before) ends[i] = start
    else if (after) starts[i] = end
    else {
      starts.splice(i, 1)
      ends.splice(i, 1)
    }
  }
}

/** The position of the first number of an ascending list that is more than `value`. */
function firstAbove(list: readonly number[], value: number): number {
  let [low, high] = [0, list.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if (list[middle]! > value) high = middle
    else low = middle + 1
  }
  return low
}
