// What is yet to happen, the earliest first: a binary heap whose entries know their places, so that what is called off leaves nothing behind.

/** Something that is to happen. */
export interface QueuedEvent {
  /** When, in milliseconds. */
  readonly at: number
  /** Which one it is of all that were made: of two at one time the older comes first. */
  readonly order: number
  readonly action: () => void
  /** Can nothing outside the simulation's own machinery notice it? Then nobody needs to be waited for. */
  readonly quiet: boolean
  /** Where in the heap it is; -1 when it is in none. */
  place: number
}

const before = (a: QueuedEvent, b: QueuedEvent): boolean =>
  a.at < b.at || (a.at === b.at && a.order < b.order)

/** Events in the order of time, then of their making. */
export class EventQueue {
  readonly #heap: QueuedEvent[] = []

  /** How many there are. */
  get size(): number {
    return this.#heap.length
  }

  /** The one that is next. */
  get first(): QueuedEvent | undefined {
    return this.#heap[0]
  }

  add(event: QueuedEvent): void {
    this.#heap.push(event)
    this.#rise(event, this.#heap.length - 1)
  }

  /** Takes an event out; does nothing where it is out. */
  remove(event: QueuedEvent): void {
    const { place } = event
    if (place < 0) return
    event.place = -1
    const last = this.#heap.pop()!
    if (last === event) return
    this.#rise(last, place)
    this.#sink(last, last.place)
  }

  #rise(event: QueuedEvent, from: number): void {
    let place = from
    while (place > 0) {
      const above = (place - 1) >> 1
      const parent = this.#heap[above]!
      if (!before(event, parent)) break
      this.#put(parent, place)
      place = above
    }
    this.#put(event, place)
  }

  #sink(event: QueuedEvent, from: number): void {
    let place = from
    for (;;) {
      const left = this.#heap[2 * place + 1]
      const right = this.#heap[2 * place + 2]
      const child = left && right && before(right, left) ? right : left
      if (!child || !before(child, event)) break
      const below = child.place
      this.#put(child, place)
      place = below
    }
    this.#put(event, place)
  }

  #put(event: QueuedEvent, place: number): void {
    this.#heap[place] = event
    event.place = place
  }
}
