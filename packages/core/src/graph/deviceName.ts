// Names of devices, whole or in part: '/job:worker/task:0/device:cpu:0', 'cpu', 'webgpu:1', '/job:ps'.
import { ValueError } from '../errors.ts'

/** The parts of a device name that were said. */
export interface DeviceName {
  readonly job?: string
  readonly task?: number
  readonly type?: string
  readonly index?: number
}

const word = /^[a-zA-Z][a-zA-Z0-9_-]*$/
/** May a job or a type of device be called so? */
export const isDeviceWord = (text: string): boolean => word.test(text)

/** The parts of a name. @throws ValueError for anything that is not one. */
export function parseDeviceName(text: string): DeviceName {
  const bad = () =>
    new ValueError(
      `'${text}' is not a device name: use '/job:worker/task:0/device:cpu:0', a part of it, or 'cpu' or 'cpu:0'`,
    )
  if (text === '') return {}
  const [, job, task, type, index] =
    (text.startsWith('/')
      ? /^(?:\/job:([^/:]+))?(?:\/task:(\d+))?(?:\/device:([^/:]+)(?::(\d+))?)?$/.exec(text)
      : /^()()([^/:]+)(?::(\d+))?$/.exec(text)) ?? []
  if (!job && task === undefined && !type) throw bad()
  for (const part of [job, type]) if (part && !isDeviceWord(part)) throw bad()
  return {
    ...(job && { job }),
    ...(task && { task: Number(task) }),
    ...(type && { type: type.toLowerCase() }),
    ...(index !== undefined && { index: Number(index) }),
  }
}

/** The name that the parts make. */
export function formatDeviceName({ job, task, type, index }: DeviceName): string {
  const device = type === undefined ? '' : `/device:${type}${index === undefined ? '' : `:${index}`}`
  return `${job === undefined ? '' : `/job:${job}`}${task === undefined ? '' : `/task:${task}`}${device}`
}

/** `inner` completed by what only `outer` says. A type said inside makes the outer index meaningless, another job the outer task. */
export function mergeDeviceNames(outer: string, inner: string): string {
  const [a, b] = [parseDeviceName(outer), parseDeviceName(inner)]
  const { index, task, ...rest } = a
  const sameJob = a.job === undefined || b.job === undefined || a.job === b.job
  return formatDeviceName({
    ...rest,
    ...(b.type === undefined && index !== undefined && { index }),
    ...(sameJob && task !== undefined && { task }),
    ...b,
  })
}

/** Does a whole name have all the parts that a partial one says? */
export const matchesDevice = (partial: DeviceName, whole: DeviceName): boolean =>
  (Object.keys(partial) as (keyof DeviceName)[]).every((part) => partial[part] === whole[part])
