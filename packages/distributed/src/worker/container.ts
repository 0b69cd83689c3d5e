// What outlives a step on a worker: variables, queues and random streams, found by name. Sessions share one, unless they want their own.
import type { AnyResource, Device } from '@shoal/core'
import { Declarations, LocalTarget } from '@shoal/core'
import type { TaskName } from '../cluster/deviceFilters.ts'

/** The state that the graphs of some sessions share, on the devices of one worker. */
export class Container {
  readonly target: LocalTarget
  private readonly declarations = new Declarations()
  private readonly states = new Map<string, object>()
  private runs = 0

  constructor(devices: readonly Device[], { job, task }: TaskName) {
    this.target = new LocalTarget(devices, job, task)
  }

  /** Takes note of resources that a graph refers to. @throws NameError for one that is declared otherwise than before. */
  claim(resources: Iterable<AnyResource>): void {
    for (const resource of resources) this.declarations.claim(resource)
  }

  /** The state that is kept for a resource; made on first use. */
  readonly state = <S extends object>(resource: AnyResource, create: () => S): S => {
    const key = `${resource.kind}:${resource.name}`
    let state = this.states.get(key)
    if (!state) this.states.set(key, (state = create()))
    return state as S
  }

  /** A number for a run, which no other has here. */
  nextRun(): number {
    return this.runs++
  }

  /** Gives the memory of all variables back; the devices stay open. */
  free(): void {
    this.target.free()
    this.states.clear()
  }
}
