// A config file held to what it may say: it is a program, and may answer anything.
import { z } from 'zod'
import type { ShoalConfig } from './config.ts'

const count = z.int().min(1)
const port = z.int().min(0).max(65_535)

const agent = z.strictObject({
  name: z.string().min(1).optional(),
  host: z.string().min(1).optional(),
  port: port.optional(),
  peers: z.array(z.string().min(1)).optional(),
  mdns: z.boolean().optional(),
  metricsPort: port.optional(),
  controlPort: port.optional(),
})

const job = z.strictObject({
  program: z.string().min(1).optional(),
  name: z.string().min(1).max(100).optional(),
  tasks: z.record(z.string().regex(/^[a-z][a-z0-9_]{0,30}$/), z.union([count, z.literal('all')])).optional(),
  gpu: z.boolean().optional(),
  memory: z
    .int()
    .min(2 ** 24)
    .optional(),
  cores: count.optional(),
  data: z.record(z.string().min(1).max(100), z.string().min(1)).optional(),
  set: z.record(z.string(), z.json()).optional(),
  priority: z.int().optional(),
  timeLimit: count.optional(),
  retries: z.int().min(0).optional(),
  elastic: z.boolean().optional(),
  trials: count.optional(),
  parallel: count.optional(),
})

/** What a config file may say. */
export const configSchema: z.ZodType<ShoalConfig> = z.strictObject({
  folder: z.string().min(1).optional(),
  agent: agent.optional(),
  job: job.optional(),
})
