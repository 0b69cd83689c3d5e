// Between-graph replication: every worker builds the same graph, in which the variables are on the parameter servers and the rest on itself.
import type {
  DeviceFunction,
  DeviceName,
  NewNode,
  NewVariable,
  OptionRules,
  VariableResource,
} from '@shoal/core'
import {
  checkOptions,
  effectsOf,
  formatDeviceName,
  optionRules,
  parseDeviceName,
  ValueError,
} from '@shoal/core'
import type { ClusterDef } from '../cluster/clusterSpec.ts'
import { ClusterSpec } from '../cluster/clusterSpec.ts'
import type { PsStrategy } from './psStrategy.ts'
import { byBytes, byName, roundRobin } from './psStrategy.ts'

/** How variables are dealt out. */
export interface ReplicaDeviceOptions {
  /** How many parameter servers there are, numbered from 0. Left out: those of `cluster`. */
  readonly psTasks?: number
  /** Whose job of parameter servers is taken, with the numbers that its tasks have. Left out: `psTasks`. */
  readonly cluster?: ClusterSpec | ClusterDef
  /**
   * 'roundRobin': one server after the other. 'byBytes': the one with the fewest bytes so far. 'byName': a hash of the name decides, whatever
   * else is declared. Or a function that answers which of the servers, counted from 0, a variable goes to. Default 'roundRobin'.
   */
  readonly strategy?: 'roundRobin' | 'byBytes' | 'byName' | PsStrategy
  /** Where everything else goes. Default '/job:worker'. */
  readonly workerDevice?: string
  /** The job of the parameter servers, and their device, if that is to be said. Default '/job:ps'. */
  readonly psDevice?: string
}

const strategies = { roundRobin, byBytes, byName } as const

const rules: OptionRules<ReplicaDeviceOptions> = {
  psTasks: optionRules.whole(0),
  cluster: optionRules.any,
  strategy: {
    wanted: "'roundRobin', 'byBytes', 'byName' or a function",
    accepts: (value) =>
      typeof value === 'function' || (typeof value === 'string' && Object.hasOwn(strategies, value)),
  },
  workerDevice: optionRules.text,
  psDevice: optionRules.text,
}

/**
 * A function for `device`: variables are put on parameter servers, what reads and assigns them with them, and everything else on the worker.
 * What inner scopes ask for wins: within `device('/job:ps', …)` the task is still chosen, within `device('/job:worker/task:0', …)` nothing is.
 * Without parameter servers it leaves everything to the placer.
 *
 *     device(replicaDeviceSetter({ cluster, workerDevice: '/job:worker/task:1' }), () => buildModel())
 *
 * @throws ValueError for an option that is none, or for neither or both of `psTasks` and `cluster`; ClusterError for a cluster that is none.
 */
export function replicaDeviceSetter(options: ReplicaDeviceOptions): DeviceFunction {
  checkOptions('replicaDeviceSetter', options, rules)
  const {
    psTasks,
    cluster,
    strategy = 'roundRobin',
    workerDevice = '/job:worker',
    psDevice = '/job:ps',
  } = options
  if ((psTasks === undefined) === (cluster === undefined))
    throw new ValueError('replicaDeviceSetter: say either psTasks or cluster')
  const server = parseDeviceName(psDevice)
  parseDeviceName(workerDevice)
  if (server.job === undefined)
    throw new ValueError(`replicaDeviceSetter: psDevice '${psDevice}' names no job, as '/job:ps' does`)
  const servers = cluster === undefined ? firstTasks(psTasks!) : new ClusterSpec(cluster).tasksOf(server.job)
  if (servers.length === 0) return () => ''
  const choose = typeof strategy === 'string' ? strategies[strategy](servers.length) : strategy
  const home = (variable: NewVariable, asked: DeviceName): string => {
    const { job, task } = asked
    if (job !== undefined && job !== server.job) return ''
    if (task !== undefined) return psDevice
    const chosen = servers[choose(variable)]
    if (chosen === undefined)
      throw new ValueError(
        `replicaDeviceSetter: the strategy must answer a number from 0 to ${servers.length - 1} for variable '${variable.name}'`,
      )
    return formatDeviceName({ ...server, task: chosen })
  }
  return (what, asked) => {
    if (isDeclaration(what)) return home(what, parseDeviceName(asked)) || workerDevice
    const variable = variableOf(what)
    return variable ? (variable.initial?.node.device ?? '') : workerDevice
  }
}

const firstTasks = (count: number): readonly number[] => Array.from({ length: count }, (_, task) => task)

const isDeclaration = (what: NewNode | NewVariable): what is NewVariable => 'kind' in what

/** The variable that a node reads or writes, in its bodies too; the placer sees to it that others of the same node are at one place. */
function variableOf(node: NewNode): VariableResource | undefined {
  const { reads, writes } = effectsOf(node)
  return [...reads, ...writes].find((resource) => resource.kind === 'variable')
}
