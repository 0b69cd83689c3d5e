// A behaviour of passes, known by its number in data/graph/pass_cases.json.

/** One behaviour as a test: throws where Shoal does not have it. */
export interface Behaviour {
  readonly id: number
  /** What Shoal does, as a fact. */
  readonly name: string
  check(): void | Promise<void>
}
