// An acyclic graph whose items can be merged as long as it stays acyclic; its order is mended around each merge.
// After Pearce and Kelly, "A dynamic topological sort algorithm for directed acyclic graphs" (2007).

/** Searches end, and merges are refused, when more items than this lie in between. */
const searchLimit = 1024

/** Items in an order that their dependencies allow, which can be merged. An item stands for all that was merged into it. */
export class Contraction<T> {
  private readonly merged = new Map<T, T>()
  private readonly position = new Map<T, number>()
  private readonly before = new Map<T, Set<T>>()
  private readonly after = new Map<T, Set<T>>()

  /** @param items in an order that `edges` allow: pairs of an item and one that comes after it. */
  constructor(items: readonly T[], edges: Iterable<readonly [T, T]>) {
    items.forEach((item, i) => {
      this.position.set(item, i)
      this.before.set(item, new Set())
      this.after.set(item, new Set())
    })
    for (const [first, then] of edges) {
      if (first === then) continue
      this.after.get(first)!.add(then)
      this.before.get(then)!.add(first)
    }
  }

  /** What an item was merged into: itself at first. */
  find(item: T): T {
    let root = item
    for (let next = this.merged.get(root); next !== undefined; next = this.merged.get(root)) root = next
    // Shorter ways for the next search.
    for (let at = item; at !== root; ) {
      const next = this.merged.get(at)!
      this.merged.set(at, root)
      at = next
    }
    return root
  }

  /** What must come right after an item, merged items as one. */
  following(item: T): Set<T> {
    return this.compact(this.after, this.find(item))
  }

  /**
   * Makes one item of two that nothing has to come between; answers it. Undefined, and nothing changes, where the graph would get a cycle,
   * or where it takes too long to tell.
   * @param allowed asked when the two may be merged otherwise.
   */
  merge(a: T, b: T, allowed: () => boolean = () => true): T | undefined {
    let [first, then] = [this.find(a), this.find(b)]
    if (first === then) return first
    if (this.position.get(first)! > this.position.get(then)!) [first, then] = [then, first]
    const [low, high] = [this.position.get(first)!, this.position.get(then)!]
    const forward = this.search(this.after, first, then, (i) => i < high)
    const backward = forward && this.search(this.before, then, first, (i) => i > low)
    if (!forward || !backward || !allowed()) return undefined
    this.reorder([...this.sorted(backward), first, ...this.sorted(forward)], [low, high])
    this.absorb(first, then)
    return first
  }

  /** What is reachable in one direction within the window, `target` aside; undefined if a way leads to `target` after all, or there is too much. */
  private search(
    edges: ReadonlyMap<T, Set<T>>,
    from: T,
    target: T,
    within: (position: number) => boolean,
  ): Set<T> | undefined {
    const seen = new Set<T>()
    for (const next of this.compact(edges, from))
      if (next !== target && within(this.position.get(next)!)) seen.add(next)
    for (const item of seen) {
      if (seen.size > searchLimit) return undefined
      for (const next of this.compact(edges, item)) {
        if (next === target) return undefined
        if (within(this.position.get(next)!)) seen.add(next)
      }
    }
    return seen
  }

  /** The neighbours of an item, by what they were merged into. */
  private compact(edges: ReadonlyMap<T, Set<T>>, item: T): Set<T> {
    const set = edges.get(item)!
    // What is added on the way stands for itself already.
    for (const next of set) {
      const root = this.find(next)
      if (root === next) continue
      set.delete(next)
      if (root !== item) set.add(root)
    }
    return set
  }

  private sorted(items: Iterable<T>): T[] {
    return [...items].sort((a, b) => this.position.get(a)! - this.position.get(b)!)
  }

  /** Gives items, in their new order, the places that they had; the one that is left over stays empty. */
  private reorder(items: readonly T[], [low, high]: readonly [number, number]): void {
    const places = [...new Set([low, high, ...items.map((item) => this.position.get(item)!)])].sort(
      (a, b) => a - b,
    )
    items.forEach((item, i) => this.position.set(item, places[i]!))
  }

  private absorb(into: T, item: T): void {
    this.merged.set(item, into)
    for (const edges of [this.before, this.after]) {
      const set = edges.get(into)!
      for (const next of edges.get(item)!) set.add(next)
      edges.delete(item)
      set.delete(item)
      set.delete(into)
    }
    this.position.delete(item)
  }

  /** The items that are left, in order. */
  order(): T[] {
    return this.sorted(this.position.keys())
  }
}
