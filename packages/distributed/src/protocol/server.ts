// What a server tells the servers of its cluster besides what its worker and its master serve.
import { z } from 'zod'
import { method, nothing } from './method.ts'

/** At which port of its host does it take signs of life? 0: at none. */
export const getWatch = method('server.watch', nothing, z.object({ port: z.int().min(0).max(65535) }))
