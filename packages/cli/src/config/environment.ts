// Variables of the environment as settings: SHOAL_JOB_TASKS is `job.tasks` of a config file, SHOAL_AGENT_PORT is `agent.port`.
import { UsageError } from '../errors.ts'
import type { AgentSettings, JobSettings, ShoalConfig } from './config.ts'
import {
  readBytes,
  readCount,
  readDuration,
  readInteger,
  readList,
  readPair,
  readSetting,
  readTasks,
  readYes,
} from './text.ts'

type Readers<Settings> = { readonly [K in keyof Settings]-?: (text: string) => Settings[K] }

const asItIs = (text: string): string => text

/** How each setting of the agent is read from text. */
export const agentReaders: Readers<AgentSettings> = {
  name: asItIs,
  host: asItIs,
  port: readCount('a port', 0),
  peers: readList,
  mdns: readYes,
  metricsPort: readCount('a port', 0),
  controlPort: readCount('a port', 0),
}

/** How each setting of a job is read from text. */
export const jobReaders: Readers<JobSettings> = {
  program: asItIs,
  name: asItIs,
  tasks: readTasks,
  gpu: readYes,
  memory: readBytes,
  cores: readCount('the number of cores'),
  data: (text) => Object.fromEntries(readList(text).map((part) => readPair(part, 'mnist=./data'))),
  set: (text) => Object.fromEntries(readList(text).map(readSetting)),
  priority: readInteger('a priority'),
  timeLimit: readDuration,
  retries: readCount('the number of retries', 0),
  elastic: readYes,
  trials: readCount('the number of trials'),
  parallel: readCount('the number of trials at once'),
}

/** The name of the variable: `timeLimit` of `job` is SHOAL_JOB_TIME_LIMIT. */
export const variableOf = (section: 'agent' | 'job', field: string): string =>
  `SHOAL_${section}_${field.replaceAll(/[A-Z]/g, (letter) => `_${letter}`)}`.toUpperCase()

/** What the environment says. @throws UsageError naming the variable. */
export function configOfEnvironment(env: Readonly<Record<string, string | undefined>>): ShoalConfig {
  return {
    folder: env['SHOAL_HOME'] || undefined,
    agent: section('agent', agentReaders, env),
    job: section('job', jobReaders, env),
  }
}

function section<Settings extends object>(
  name: 'agent' | 'job',
  readers: Readers<Settings>,
  env: Readonly<Record<string, string | undefined>>,
): Settings {
  const found = (Object.entries(readers) as [string, (text: string) => unknown][]).flatMap(
    ([field, read]) => {
      const variable = variableOf(name, field)
      const text = env[variable]
      if (text === undefined) return []
      try {
        return [[field, read(text)]]
      } catch (thrown) {
        throw new UsageError(`${variable}: ${(thrown as Error).message}`)
      }
    },
  )
  return Object.fromEntries(found) as Settings
}
