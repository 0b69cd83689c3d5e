// What one device or one link does when: pieces of time that do not overlap.

/** Pieces of time, in order. */
export class Timeline {
  private readonly starts: number[] = []
  private readonly ends: number[] = []

  /** Takes the first free piece of `duration`, more than 0, that does not begin before `ready`. Answers when it begins. */
  take(ready: number, duration: number): number {
    const { starts, ends } = this
    let at = ready
    let i = firstAbove(ends, ready)
    for (; i < starts.length && starts[i]! < at + duration; i++) at = Math.max(at, ends[i]!)
    starts.splice(i, 0, at)
    ends.splice(i, 0, at + duration)
    return at
  }

  /** Gives back the piece that begins at `start`. */
  giveBack(start: number): void {
    const i = firstAbove(this.starts, start) - 1
    this.starts.splice(i, 1)
    this.ends.splice(i, 1)
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
