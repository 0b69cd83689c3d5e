// A guard against NaN and infinity: training that went wrong should end at once, and say where it began.
import type { NDArray, Node, Tensor } from '@shoal/core'
import { NonFiniteError, ValueError, Variable } from '@shoal/core'
import { readVariables, writeVariables } from '../checkpoint/values.ts'
import type { Hook } from '../hook.ts'
import { findNonFinite, firstNonFinite, isFetchList } from '../nonFinite.ts'

/** How much the guard does. */
export interface NonFiniteOptions {
  /**
   * Finds the node that made the value: keeps a copy of these variables before each step, which costs time and memory, and runs these fetches
   * again from there. The copies are then put back, so that the session has the values from before the step that failed.
   */
  readonly find?: {
    readonly variables: readonly Variable[]
    /** The loss and the train op. */
    readonly fetches: readonly (Tensor | Variable | Node)[]
  }
}

/**
 * Ends training with NonFiniteError when a value that a step fetched has a NaN or an infinity.
 * @throws ValueError for a `find` that does not have its two lists.
 */
export function stopOnNonFinite({ find }: NonFiniteOptions = {}): Hook {
  if (find !== undefined && !isSearch(find))
    throw new ValueError(
      "'find' is a list of variables and one of what to run again: { variables: allVariables(step), fetches: [loss, step] }",
    )
  let before = new Map<string, NDArray>()
  return {
    async beforeRun(run) {
      if (find) before = await readVariables(run.session, find.variables)
    },
    async afterRun({ session, step }, values, feeds) {
      const bad = Object.entries(values).find(([, value]) => firstNonFinite(value))
      if (!bad) return
      const what = `'${bad[0]}' is ${firstNonFinite(bad[1])!.value} in step ${step}`
      if (!find) throw new NonFiniteError(`${what}; the option 'find' tells which node made it`)
      await writeVariables(session, find.variables, before)
      const origin = await findNonFinite(session, find.fetches, feeds)
      await writeVariables(session, find.variables, before)
      if (!origin)
        throw new NonFiniteError(
          `${what}; when the step was run again, all was finite: it depends on random numbers or other state`,
        )
      throw new NonFiniteError(`${what}: ${origin.message}`)
    },
  }
}

/** Programs in plain JavaScript may hand over anything. */
function isSearch(find: unknown): boolean {
  if (typeof find !== 'object' || find === null) return false
  const { variables, fetches } = find as Partial<Record<string, unknown>>
  const isVariableList = Array.isArray(variables) && variables.every((one) => one instanceof Variable)
  return isVariableList && isFetchList(fetches)
}
