// What a master serves: sessions for clients that have no devices of their own, TensorFlow's CreateSession, ExtendSession and RunStep.
import type { DType, Shape } from '@shoal/core'
import { dtypeNames } from '@shoal/core'
import { z } from 'zod'
import { method, nothing } from './method.ts'
import { runGraph } from './worker.ts'

const session = z.string().min(1).max(64)
const whole = z.int().min(0)
const variable = z.object({
  name: z.string(),
  type: z.object({
    dtype: z.enum(dtypeNames as readonly [DType, ...DType[]]),
    shape: z.array(z.union([whole, z.string()])) as z.ZodType<Shape>,
  }),
  /** The device that its initial value asks for; may be empty. */
  device: z.string(),
})
/** A variable as the master has to know it: where it would be made. */
export type VariableDef = z.infer<typeof variable>

/** Opens a session, which ends with the connection at the latest. */
export const createSession = method(
  'master.create',
  z.object({
    deviceFilters: z.array(z.string()).optional(),
    isolated: z.boolean().optional(),
    startDeadlineMs: z.number().positive().optional(),
    stepDeadlineMs: z.number().positive().optional(),
  }),
  z.object({ session }),
)
/** Ends a session. */
export const endSession = method('master.close', z.object({ session }), nothing)
/** Adds a graph. The tensor is its GraphDef as bytes of JSON, which fetches its feeds after what it fetches. */
export const extend = method(
  'master.extend',
  z.object({
    session,
    graph: whole,
    feedCount: whole,
    fusion: z.boolean(),
    softPlacement: z.boolean(),
    maxActivationBytes: whole.optional(),
  }),
  z.object({ log: z.array(z.string()) }),
)
/** Forgets a graph. */
export const release = method('master.release', z.object({ session, graph: whole }), nothing)
/** Runs a graph. Tensors: feeds, and fetches. */
export const runStep = method(
  'master.run',
  z.object({ session, graph: whole, step: whole, seed: z.number(), trace: z.boolean() }),
  runGraph.answer,
)
/** Which of these variables have values? */
export const areInitialized = method(
  'master.initialized',
  z.object({ session, variables: z.array(variable) }),
  z.object({ answers: z.array(z.boolean()) }),
)
/** Sets a variable to the tensor. */
export const write = method(
  'master.write',
  z.object({ session, variable, softPlacement: z.boolean() }),
  nothing,
)
