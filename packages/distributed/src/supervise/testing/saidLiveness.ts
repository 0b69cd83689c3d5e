// Who lives, as a test says.
import { formatDeviceName } from '@shoal/core'
import type { TaskName } from '../../cluster/deviceFilters.ts'
import type { Liveness } from '../liveness.ts'

/** Everyone lives of whom a test does not say otherwise. */
export class SaidLiveness implements Liveness {
  private readonly dead = new Set<string>()
  private readonly listeners = new Set<() => void>()
  isAlive(task: TaskName): boolean {
    return !this.dead.has(formatDeviceName(task))
  }
  onChange(changed: () => void): () => void {
    this.listeners.add(changed)
    return () => void this.listeners.delete(changed)
  }
  say(task: TaskName, alive: boolean): void {
    if (alive) this.dead.delete(formatDeviceName(task))
    else this.dead.add(formatDeviceName(task))
    this.listeners.forEach((listener) => listener())
  }
}
