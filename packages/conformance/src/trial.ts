// Trying a case: the graph that it builds on placeholders, the gradients of that graph, and their values on a device.
import type { Device, DType, NDArray } from '@shoal/core'
import { placeholder, Session, Tensor } from '@shoal/core'
import { expect } from 'vitest'
import type { OpCase, Outputs } from './case.ts'
import { caseInputs, caseName } from './case.ts'
import { watch } from './holdings.ts'

/** A graph and what to feed it. */
export interface Trial {
  readonly name: string
  readonly inputs: Readonly<Record<string, Tensor>>
  readonly values: Readonly<Record<string, NDArray>>
  /** The outputs by name: '0' for a single one, '0', '1' … for a list. */
  readonly outputs: ReadonlyMap<string, Tensor>
  /** Did `build` answer one tensor, and not a list or record? */
  readonly single: boolean
  readonly runs: number
}

/** Builds a case in a dtype. With `symbolic`, sizes above 1 are names while the graph is built. */
export function buildTrial(
  opcase: OpCase,
  dtype: DType,
  options: { readonly symbolic?: boolean } = {},
): Trial {
  const values = caseInputs(opcase, dtype)
  const inputs = Object.fromEntries(
    Object.entries(values).map(([name, value]) => {
      // Equal sizes share a name, so that what must fit is known to fit.
      const shape = options.symbolic ? value.shape.map((d) => (d > 1 ? `d${d}` : d)) : value.shape
      return [name, placeholder({ shape, dtype: value.dtype, name })]
    }),
  )
  const built = opcase.build(inputs, dtype)
  const outputs = namedTensors(built)
  return {
    name: `${caseName(opcase)} ${dtype}`,
    inputs,
    values,
    outputs,
    single: built instanceof Tensor,
    runs: opcase.runs ?? 1,
  }
}

/** What `build` answered, by name. */
export function namedTensors(outputs: Outputs): Map<string, Tensor> {
  if (outputs instanceof Tensor) return new Map([['0', outputs]])
  return new Map(Object.entries(outputs as Readonly<Record<string, Tensor>>))
}

/**
 * Runs a trial in a session of its own, after setting its variables, and answers the last run's values in the order of the outputs.
 * @throws AssertionError when the device still holds buffers after the session was closed.
 */
export async function runTrial(devices: readonly Device[], trial: Trial): Promise<NDArray[]> {
  return withSession(devices, trial.name, async (session) => {
    const fetches = [...trial.outputs.values()]
    await session.initialize(fetches)
    let answer: NDArray[] = []
    for (let run = 0; run < trial.runs; run++)
      answer = await session.run(fetches, feedsOf(trial, trial.values))
    return answer
  })
}

/** Values for the placeholders of a trial. */
export const feedsOf = (trial: Trial, values: Readonly<Record<string, NDArray>>): Map<Tensor, NDArray> =>
  new Map(Object.entries(trial.inputs).map(([name, t]) => [t, values[name]!]))

/** A session on the devices for as long as `use` runs; afterwards they must hold nothing. */
export async function withSession<T>(
  devices: readonly Device[],
  what: string,
  use: (session: Session) => Promise<T>,
): Promise<T> {
  const watched = devices.map(watch)
  const session = new Session({ devices: watched.map((w) => w.device), seed: 7 })
  let answer: T
  try {
    answer = await use(session)
  } finally {
    await session.close()
  }
  watched.forEach((w) => {
    if (w.held() > 0)
      expect.fail(`${what}: ${w.device.type} still holds ${w.held()} buffers after its session was closed`)
  })
  return answer
}
