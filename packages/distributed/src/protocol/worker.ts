// What a worker serves: the part of TensorFlow's WorkerService that a dataflow step needs, under its names.
import type { DType, Shape } from '@shoal/core'
import { dtypeNames } from '@shoal/core'
import { z } from 'zod'
import type { ClusterDef } from '../cluster/clusterSpec.ts'
import { method, nothing } from './method.ts'

const id = z.string().min(1).max(64)
const whole = z.int().min(0)
const dtype = z.enum(dtypeNames as readonly [DType, ...DType[]])
const type = z.object({ dtype, shape: z.array(z.union([whole, z.string()])) as z.ZodType<Shape> })
const concreteType = z.object({ dtype, shape: z.array(whole) })

/** A device as others see it. */
export const deviceStatus = z.object({
  /** Whole: `/job:worker/task:1/device:cpu:0`. */
  name: z.string(),
  type: z.string(),
  dtypes: z.array(dtype),
})
/** A device as others see it. */
export type DeviceStatus = z.infer<typeof deviceStatus>

/** Who a worker is, and what it has. The incarnation is drawn anew at every start. */
export const workerStatus = z.object({ incarnation: id, devices: z.array(deviceStatus) })
/** Who a worker is, and what it has. */
export type WorkerStatus = z.infer<typeof workerStatus>

/** What a device is asked whether it can run it. */
export const kernelQuery = z.object({
  op: z.string(),
  inputs: z.array(concreteType),
  outputs: z.array(concreteType),
  attrs: z.record(z.string(), z.unknown()),
})
/** What a device is asked whether it can run it. */
export type KernelQuery = z.infer<typeof kernelQuery>

/** One partition; its GraphDef is the tensor in its place, and fetches its inputs after what it fetches. */
const partition = z.object({
  /** Which device of the worker it is for. */
  device: whole,
  /** For each input, which feed of the worker's it is. */
  feeds: z.array(whole),
  /** For each fetch, which of the worker's it is. */
  fetches: z.array(whole),
})

const traceEvent = z.object({
  node: z.string(),
  op: z.string(),
  device: z.string(),
  /** Milliseconds since 1970. */
  startMs: z.number(),
  durationMs: z.number(),
  bytes: z.number(),
})

const variable = z.object({ name: z.string(), type })

/** Who is there? */
export const getStatus = method('worker.status', nothing, workerStatus)
/** Which of these could a device run? */
export const canRun = method(
  'worker.canRun',
  z.object({ device: whole, queries: z.array(kernelQuery) }),
  z.object({ answers: z.array(z.boolean()) }),
)
const addresses = z.record(z.string(), z.union([z.array(z.string()), z.record(z.string(), z.string())]))

/** How a session begins. */
export const newSession = z.object({
  session: id,
  /** Has it variables of its own? */
  isolated: z.boolean(),
  /** Who takes part, and where: a worker need not know all of them. */
  cluster: addresses as z.ZodType<ClusterDef>,
})
/** How a session begins. */
export type NewSession = z.infer<typeof newSession>
/** Opens a session, which ends with the connection at the latest. */
export const openSession = method('worker.open', newSession, nothing)
/** Ends a session, its graphs and its steps. */
export const closeSession = method('worker.close', z.object({ session: id }), nothing)
/** Compiles partitions. The tensors are their GraphDefs, as bytes of JSON. */
export const registerGraph = method(
  'worker.register',
  z.object({
    session: id,
    graph: whole,
    parts: z.array(partition).min(1),
    fetchCount: whole,
    fusion: z.boolean(),
    maxActivationBytes: whole.optional(),
  }),
  nothing,
)
/** Forgets a graph. */
export const deregisterGraph = method('worker.deregister', z.object({ session: id, graph: whole }), nothing)
/** Runs a registered graph as a part of a step. Tensors: feeds, and fetches. A step is run once: whoever repeats a request is refused. */
export const runGraph = method(
  'worker.run',
  z.object({ session: id, graph: whole, step: whole, seed: z.number(), trace: z.boolean() }),
  z.object({ events: z.array(traceEvent) }),
)
/** Waits for a tensor of a step, and takes it: nobody else gets it. */
export const recvTensor = method(
  'worker.recv',
  z.object({ session: id, step: whole, key: z.string() }),
  nothing,
)
/** Ends what is left of a step, for a reason. */
export const cleanupStep = method(
  'worker.cleanup',
  z.object({ session: id, step: whole, reason: z.string() }),
  nothing,
)
/** Which of these variables have values? */
export const initialized = method(
  'worker.initialized',
  z.object({ session: id, variables: z.array(variable) }),
  z.object({ answers: z.array(z.boolean()) }),
)
/** Sets a variable to the tensor. */
export const writeVariable = method(
  'worker.write',
  z.object({ session: id, variable, device: z.string() }),
  nothing,
)
