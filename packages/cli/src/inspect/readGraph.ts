// Files that hold a graph: saved models, GraphDefs, and modules whose exports are tensors.
import { readFile } from 'node:fs/promises'
import { extname } from 'node:path'
import { pathToFileURL } from 'node:url'
import { fromGraphDef, type Graph, Node, Tensor } from '@shoal/core'
import { loadModel } from '@shoal/train'
import { MissingError, UsageError } from '../errors.ts'

/** The graph of a file. @throws MissingError where there is no file, UsageError where it holds no graph, and what reading throws. */
export async function readGraph(path: string): Promise<Graph> {
  const ending = extname(path)
  if (ending === '.ts' || ending === '.js' || ending === '.mjs') return exportedGraph(path)
  const bytes = await readFile(path).catch((error: NodeJS.ErrnoException) => {
    throw error.code === 'ENOENT' ? new MissingError(`there is no ${path}`) : error
  })
  if (ending === '.json') return fromGraphDef(bytes.toString()).graph
  return { fetches: Object.values(loadModel(bytes).outputs), targets: [] }
}

/** What a module exports: tensors are fetched, nodes are run, and records of either are looked into. */
async function exportedGraph(path: string): Promise<Graph> {
  let exported: unknown
  try {
    exported = await import(pathToFileURL(path).href)
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (code === 'ERR_MODULE_NOT_FOUND' && message.includes(path))
      throw new MissingError(`there is no ${path}`)
    throw new UsageError(`${path} cannot be run: ${message}`)
  }
  const found = [...within(exported, 0)]
  if (found.length === 0)
    throw new UsageError(`${path} exports no tensors`, 'export what is to be seen: export const loss = …')
  return {
    fetches: [...new Set(found.filter((value) => value instanceof Tensor))],
    targets: [...new Set(found.filter((value) => value instanceof Node))],
  }
}

const deepest = 3

function* within(value: unknown, depth: number): Generator<Tensor | Node> {
  if (value instanceof Tensor || value instanceof Node) yield value
  else if (typeof value === 'object' && value !== null && depth < deepest)
    for (const part of Object.values(value)) yield* within(part, depth + 1)
}
