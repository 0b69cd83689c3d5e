// shoal.v1.Control as it is on the wire: what nodes of a cluster say to each other besides tensors and steps.
import { protoFile } from './file.ts'
import { enumeration, field, message, method, oneOf, type ValueOf } from './table.ts'

/** A device as others see it. */
const device = message('Device', {
  /** `/job:worker/task:1/device:cpu:0`. */
  name: field.string(1),
  /** `cpu`. */
  type: field.string(2),
  dtypes: field.repeated(field.string(3)),
  /** 0 where it is not known. */
  memoryBytes: field.uint64(4),
  /** Of the process that has it. */
  incarnation: field.string(5),
})

/** How busy a node is. */
const load = message('Load', {
  /** Milliseconds since its main thread last came round to its timers; up to some 200 when it is idle. */
  mainBusyMs: field.double(1),
  runningSteps: field.uint32(2),
  /** Seconds of processor time for each second since the heartbeat before. */
  processors: field.double(3),
  residentBytes: field.uint64(4),
})

/** Who speaks. The first message of each side, and sent again when the devices change. */
const hello = message('Hello', {
  /** The cluster: the SHA-256 of its authority's key, or where there are no certificates a name. */
  cluster: field.string(1),
  /** `/job:worker/task:1`. */
  task: field.string(2),
  /** Drawn at the start of the process. */
  incarnation: field.string(3),
  /** Counts what the process has sent to anybody. */
  sequence: field.uint32(4),
  version: field.string(5),
  devices: field.repeated(field.message(device, 6)),
})

const heartbeat = message('Heartbeat', { sequence: field.uint32(1), load: field.message(load, 2) })

/** What a node knows of a task. */
export const peerStates = { STATE_UNKNOWN: 0, JOINED: 1, SUSPECT: 2, DEAD: 3, RESTARTED: 4, LEFT: 5 } as const
const peerState = enumeration('PeerState', peerStates)

/** What the speaker has seen of a task; LEFT is said of itself. */
const news = message(
  'News',
  {
    task: field.string(1),
    incarnation: field.string(2),
    state: field.enumeration(peerState, 3),
    reason: field.string(4),
  },
  [peerState],
)

const attendance = message('Attendance', {
  says: oneOf({
    hello: field.message(hello, 1),
    heartbeat: field.message(heartbeat, 2),
    news: field.message(news, 3),
  }),
})

/** What a node accepts: new work, none, or nothing any more. */
export const nodeStates = { SERVING: 0, DRAINING: 1, STOPPING: 2 } as const
const nodeState = enumeration('NodeState', nodeStates)

const statusRequest = message('GetStatusRequest', {})
const status = message(
  'Status',
  {
    task: field.string(1),
    /** `worker`; empty where the name of the task tells none. */
    job: field.string(2),
    /** The number of the task in its job. */
    index: field.uint32(3),
    incarnation: field.string(4),
    version: field.string(5),
    uptimeMs: field.double(6),
    state: field.enumeration(nodeState, 7),
    load: field.message(load, 8),
    devices: field.repeated(field.message(device, 9)),
  },
  [nodeState],
)
const listDevicesRequest = message('ListDevicesRequest', {})
/** The devices of the node, and of the living that it attends. */
const deviceList = message('DeviceList', { devices: field.repeated(field.message(device, 1)) })
const stopRequest = message('StopRequest', {
  reason: field.string(1),
  /** Milliseconds for what is under way. */
  graceMs: field.double(2),
})
const stopAnswer = message('StopAnswer', { state: field.enumeration(nodeState, 1) })

/** The file, its service and the codecs. */
export const controlFile = protoFile({
  name: 'shoal/v1/control.proto',
  package: 'shoal.v1',
  messages: [
    device,
    load,
    hello,
    heartbeat,
    news,
    attendance,
    statusRequest,
    status,
    listDevicesRequest,
    deviceList,
    stopRequest,
    stopAnswer,
  ],
  service: {
    name: 'Control',
    methods: {
      Attend: method(attendance, attendance, { requests: 'stream', answers: 'stream' }),
      GetStatus: method(statusRequest, status),
      ListDevices: method(listDevicesRequest, deviceList),
      Drain: method(stopRequest, stopAnswer),
      Stop: method(stopRequest, stopAnswer),
    },
  },
})

/** A device as it is on the wire. */
export type DeviceMessage = ValueOf<typeof device>
/** How busy a node is, on the wire. */
export type LoadMessage = ValueOf<typeof load>
/** Who speaks. */
export type HelloMessage = ValueOf<typeof hello>
/** What either side of a stream sends. */
export type AttendanceMessage = ValueOf<typeof attendance>
/** What a node says of itself when it is asked. */
export type StatusMessage = ValueOf<typeof status>
