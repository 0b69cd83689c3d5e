// What there is to be seen of a graph, each as text.
import {
  allocate,
  explainPasses,
  formatDeviceName,
  formatType,
  type Graph,
  inspectProgram,
  isConcrete,
  label,
  nameDevices,
  NDArray,
  optimizingPasses,
  place,
  printGraph,
  reference,
  requiredPasses,
  Session,
  sizeOf,
  standardPasses,
  type Tensor,
  toposort,
  variablesOf,
} from '@shoal/core'
import { cpu } from '@shoal/kernels-cpu'
import { bytes, measured } from '../drawing/quantities.ts'
import { UsageError } from '../errors.ts'

/** The graph, after a line that says how much of it there is. */
export function summaryOf(graph: Graph): string {
  const nodes = toposort(graph)
  const variables = variablesOf(graph)
  const known = variables.map(({ type }) => type.shape).filter(isConcrete)
  const elements = known.reduce((sum, shape) => sum + sizeOf(shape), 0)
  const inputs = placeholdersOf(graph).map((tensor) => `${tensor.name}: ${formatType(tensor.type)}`)
  return [
    `${nodes.length} nodes; ${variables.length} variables with ${measured(elements)} elements, ${bytes(4 * elements)} as float32; inputs: ${inputs.join(', ') || 'none'}`,
    printGraph(graph),
  ].join('\n')
}

/** What each of the passes that sessions run makes of it. */
export const passesOf = (graph: Graph): string =>
  explainPasses(graph, [standardPasses, ...requiredPasses, ...optimizingPasses])

/** Where each node would run, of the devices of this machine that need nothing to be installed. */
export async function placementOf(graph: Graph): Promise<string> {
  const devices = [cpu({ threads: 1 }), reference()]
  try {
    const named = nameDevices(devices)
    const nodes = toposort(standardPasses.run(graph))
    const placed = place(nodes, named, { soft: true, deviceOf: () => undefined })
    return nodes
      .map((node) => `${formatDeviceName(named[placed.get(node)!]!.name)}  ${label(node)}`)
      .join('\n')
  } finally {
    for (const device of devices) await device[Symbol.asyncDispose]()
  }
}

/** The programs of the cpu device, for inputs of these sizes. @throws UsageError for a size that nobody said. */
export async function programsOf(graph: Graph, sizes: Readonly<Record<string, number>>): Promise<string> {
  await using session = new Session({ devices: [cpu({ threads: 1 })] })
  const feeds = placeholdersOf(graph).map((tensor) => [tensor, zerosFor(tensor, sizes)] as const)
  const programs = await session.programs([...graph.fetches, ...graph.targets], feeds)
  return programs.map((program) => String(inspectProgram(program))).join('\n\n')
}

const placeholdersOf = (graph: Graph): readonly Tensor[] =>
  toposort(graph).flatMap(({ op: { body }, outputs }) =>
    body.kind === 'runtime' && body.role === 'feed' ? outputs : [],
  )

function zerosFor({ name, dtype, shape }: Tensor, sizes: Readonly<Record<string, number>>): NDArray {
  const known = shape.map((dim) => {
    const size = typeof dim === 'number' ? dim : sizes[dim]
    if (size === undefined)
      throw new UsageError(`the size '${dim}' of input ${name} is not known`, `say it: --sizes ${dim}=32`)
    return size
  })
  return new NDArray(dtype, known, allocate(dtype, sizeOf(known)))
}
