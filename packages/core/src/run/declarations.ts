// One name, one state: what a session has seen under each name, so that two things never share state unknowingly.
import { NameError } from '../errors.ts'
import { equalResources } from '../graph/equal.ts'
import type { AnyResource } from '../resource.ts'
import { formatType } from '../shape.ts'

/** The resources that a session's graphs have referred to. */
export class Declarations {
  private readonly first = new Map<string, AnyResource>()
  private readonly known = new WeakSet<AnyResource>()

  /**
   * Takes note of a resource. Another of its kind and name must be declared equally, as one is that was written to a GraphDef and read
   * again: the same types, capacity and seed, and the same initial value unless one of the two has none.
   * @throws NameError when it is declared otherwise.
   */
  claim(resource: AnyResource): void {
    if (this.known.has(resource)) return
    const key = `${resource.kind}:${resource.name}`
    const other = this.first.get(key)
    if (other && !equalResources(other, resource)) throw new NameError(sharedName(other, resource))
    if (!other) this.first.set(key, resource)
    this.known.add(resource)
  }
}

const plurals: Readonly<Record<AnyResource['kind'], string>> = {
  variable: 'variables',
  queue: 'queues',
  mutex: 'mutexes',
  random: 'random streams',
  accumulator: 'accumulators',
  progress: 'counts of progress',
}

/** What to tell of two resources of one kind and name. */
export function sharedName(a: AnyResource, b: AnyResource): string {
  const [one, two] = [describe(a), describe(b)]
  const difference =
    one !== two ? `, ${one} and ${two}` : equalResources(a, b) ? '' : ', with other initial values'
  return `two ${plurals[a.kind]} are named '${a.name}'${difference}: give one another name or scope`
}

function describe(resource: AnyResource): string {
  switch (resource.kind) {
    case 'variable':
      return formatType(resource.type)
    case 'queue': {
      const { types, capacity, shuffle } = resource
      const order = shuffle
        ? `shuffled from seed ${shuffle.seed}, ${shuffle.minAfterDequeue} kept`
        : 'in order'
      return `of ${capacity} × (${types.map(formatType).join(', ')}) ${order}`
    }
    case 'random':
      return `with seed ${resource.seed}`
    case 'accumulator': {
      const { types, count, held } = resource
      const parts = types.map((type) =>
        type.rows === undefined ? formatType(type) : `${type.rows} rows of ${formatType(type)}`,
      )
      return `of ${count} × (${parts.join(', ')})${held ? ', held at first' : ''}`
    }
    case 'progress':
      return `of ${resource.members} members`
    case 'mutex':
      return 'alike'
    default:
      return resource satisfies never
  }
}
