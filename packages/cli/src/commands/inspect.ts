// shoal inspect: what a graph is, what passes make of it, where its nodes run, and the programs that come of it.
import { Command } from 'commander'
import { readSizes } from '../config/text.ts'
import { action, type Invocation } from '../invocation.ts'
import type { Shell } from '../shell.ts'

/** The flags of `shoal inspect`. */
interface InspectFlags {
  readonly passes?: true
  readonly placement?: true
  readonly programs?: true
  readonly sizes: Readonly<Record<string, number>>
}

/** Looks at a model or at the graph of a program. */
export const inspectCommand = (shell: Shell): Command =>
  new Command('inspect')
    .description('show a graph: of a saved model, of a GraphDef, or the tensors that a module exports')
    .argument('<file>', 'model.safetensors, graph.json, or a module like model.ts')
    .option('--passes', 'what each pass makes of it, and why nodes are gone')
    .option('--placement', 'the device of each node, on this machine')
    .option('--programs', 'the kernels that come of it, their memory and operations')
    .option('--sizes <name=size,…>', 'what sizes with names are, for --programs', readSizes, {})
    .action(action(shell, inspect))

async function inspect(invocation: Invocation, flags: InspectFlags, file: string): Promise<void> {
  const { readGraph } = await import('../inspect/readGraph.ts')
  const { passesOf, placementOf, programsOf, summaryOf } = await import('../inspect/sections.ts')
  const graph = await readGraph(invocation.path(file))
  const sections = [
    { name: 'graph', text: summaryOf(graph), wanted: true },
    { name: 'passes', text: flags.passes ? passesOf(graph) : '', wanted: flags.passes },
    { name: 'placement', text: flags.placement ? await placementOf(graph) : '', wanted: flags.placement },
    {
      name: 'programs',
      text: flags.programs ? await programsOf(graph, flags.sizes) : '',
      wanted: flags.programs,
    },
  ].filter(({ wanted }) => wanted)
  const { out } = invocation.shell
  invocation.answer(
    Object.fromEntries(sections.map(({ name, text }) => [name, text])),
    sections.flatMap(({ name, text }, i) => [
      ...(i > 0 ? [''] : []),
      ...(sections.length > 1 ? [out.style('bold', name)] : []),
      text,
    ]),
  )
}
