// One suite for every pass: the text of graphs before and after, and what no pass may break.
import type { Fetches, Graph, NDArray, Pass, Tensor } from '@shoal/core'
import { pipeline, printGraph, reference, requiredPasses, Session, verify } from '@shoal/core'
import { describe, expect, it } from 'vitest'
import { expectClose } from './compare.ts'
import type { Tolerance } from './tolerance.ts'
import { exact } from './tolerance.ts'

/** A graph, and what a pass makes of it. */
export interface PassCase {
  readonly name: string
  /** Builds the graph anew, and what to feed it. */
  build(): { readonly graph: Graph; readonly feeds?: ReadonlyMap<Tensor, NDArray> }
  /** The graph's text before the pass; left out where it does not matter. */
  readonly before?: string
  /** Its text after the pass; the same as before where there is nothing to do. */
  readonly after: string
  /** Are sums or products grouped anew? Then values may differ by a hundred-thousandth; otherwise by nothing. */
  readonly reassociates?: boolean
}

/** float32 rounding of regrouped terms: about 1e-5 of the largest. */
const regrouped: Tolerance = { units: 84, cancels: true }

/** Registers, for each case: the texts, a valid graph, equal values on the reference device, and nothing left to do the second time. */
export function passSuite(pass: Pass, cases: readonly PassCase[]): void {
  describe(`pass ${pass.name}`, () => {
    for (const one of cases)
      describe(one.name, () => {
        it('makes the graph that it should', () => {
          const { graph } = one.build()
          if (one.before !== undefined) expect(printGraph(graph)).toBe(flushLeft(one.before))
          expect(printGraph(pass.run(graph))).toBe(flushLeft(one.after))
        })
        it('keeps the graph valid and its values', () => checkPass(pass, one.build(), one.reassociates))
        it('has nothing to do the second time', () => {
          const once = pass.run(one.build().graph)
          expect(pass.run(once)).toBe(once)
        })
      })
  })
}

/** Runs a pass; the result must be valid and compute what the graph before it does. Answers the result. */
export async function checkPass(
  pass: Pass,
  { graph, feeds = new Map() }: { readonly graph: Graph; readonly feeds?: ReadonlyMap<Tensor, NDArray> },
  reassociates = false,
): Promise<Graph> {
  const after = pass.run(graph)
  verify(after)
  expect(after.fetches.length).toBe(graph.fetches.length)
  const [expected, actual] = [await valuesOf(graph, feeds), await valuesOf(after, feeds)]
  graph.fetches.forEach((t, i) =>
    expectClose(`${pass.name}: ${t.name}`, actual[i]!, expected[i]!, reassociates ? regrouped : exact),
  )
  return after
}

/** The values of a graph that only goes through the passes without which nothing can run. */
export async function valuesOf(graph: Graph, feeds: ReadonlyMap<Tensor, NDArray>): Promise<NDArray[]> {
  await using session = new Session({ devices: [reference()], passes: pipeline(...requiredPasses) })
  const all: Fetches = [graph.fetches, graph.targets]
  await session.initialize(all)
  const [values] = await session.run([graph.fetches, graph.targets] as const, feeds)
  return values as NDArray[]
}

/** A text without its first line break and the indentation of its first line, so that it may stand indented in a test. */
export function flushLeft(text: string): string {
  const lines = text.replace(/^\n/, '').trimEnd().split('\n')
  const indent = /^ */.exec(lines[0]!)![0].length
  return lines.map((line) => line.slice(Math.min(indent, line.length))).join('\n')
}
