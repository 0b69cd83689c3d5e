// One node of the control plane: serves those who ask, attends its peers, and judges by what it hears of them who is alive.
import { Server, ServerCredentials, status as grpcStatus } from '@grpc/grpc-js'
import { type Clock, systemClock } from '../clock.ts'
import { parseDeviceName } from '@shoal/core'
import { asError, SecurityError } from '../errors.ts'
import { atMoment } from '../security/expiry.ts'
import { demandTask } from '../security/taskIdentity.ts'
import { acceptPeers } from '../transport/acceptPeers.ts'
import { parseAddress } from '../transport/address.ts'
import type { Listener, PeerIdentity } from '../transport/contract.ts'
import { checkHost, type Security } from '../transport/security.ts'
import { Attendance } from './attendance.ts'
import { AwakeClock } from './awakeClock.ts'
import { jittered } from '../backoff.ts'
import { controlService, type StopRequest } from './controlService.ts'
import { Dialler, isRefusal, type PeerAddress } from './dialler.ts'
import { FailureDetector, type PeerEvent, type SilenceLimits } from './failureDetector.ts'
import { Health } from './health.ts'
import { MainWatch } from './mainWatch.ts'
import { type Load, type NodeName, NodeStatus, type NodeUpdate, readLoad } from './nodeStatus.ts'
import { type AttendanceMessage, controlFile, type HelloMessage, peerStates } from './proto/control.ts'
import { healthFile } from './proto/health.ts'
import { reflectionFiles } from './proto/reflection.ts'
import { reflection } from './reflection.ts'
import { channelOptions, implementation, StatusError } from './rpc.ts'
import { alpn, handshakeMs } from './tls.ts'

/** Peers by the names of their tasks. */
export type PeerTable = Readonly<Record<string, PeerAddress>>

/** How often a node gives signs of life, and how long it waits for those of others. */
export interface HeartbeatSettings extends SilenceLimits {
  /** Milliseconds between two signs of life. */
  readonly everyMs: number
  /** Each time is longer or shorter by up to this part of it. */
  readonly jitter: number
}

/** What a node is. It can be sent to a thread. */
export interface NodeSettings {
  readonly name: NodeName
  readonly address: string
  readonly security: Security
  readonly peers: PeerTable
  readonly heartbeat: HeartbeatSettings
  /** The roles that may stop it. */
  readonly operators: readonly string[]
}

/** Something that a peer says that it has seen. */
export interface News {
  /** Who says so. */
  readonly from: string
  /** Of whom. */
  readonly task: string
  readonly incarnation: string
  readonly state: 'joined' | 'dead' | 'restarted'
  readonly reason: string
}

/** Told of what happens. */
export interface NodeHooks {
  peer(event: PeerEvent): void
  news(news: News): void
  stop(request: StopRequest): void
  /** A process was refused. */
  refused(why: string): void
}

/** What is known of a peer. */
export interface PeerView {
  readonly task: string
  /** 'absent': never heard. */
  readonly state: 'absent' | 'joined' | 'suspect' | 'dead'
  readonly incarnation: string
  /** Milliseconds since it was heard. */
  readonly silentMs: number
  /** What it said last; undefined before it did. */
  readonly load: Load | undefined
  /** Why it could not be reached or was lost last; empty where there was no trouble. */
  readonly trouble: string
}

/** What a node uses of its surroundings. */
export interface NodeMeans {
  /** The word in which the main thread counts. */
  readonly mainWords: Int32Array
  /** Numbers from 0 to 1. Default: `Math.random`. */
  readonly random?: () => number
  /** Default: the machine's. */
  readonly clock?: Clock
}

/** The most streams of others at a time, and the longest text that one may give as its name or a reason. */
const most = { attendances: 1024, text: 1024, devices: 256 }
/** Milliseconds for calls that are under way when the node is closed. */
const closeMs = 500

/** A node. */
export class ControlNode {
  readonly #settings: NodeSettings
  readonly #hooks: NodeHooks
  readonly #clock: Clock
  readonly #awake: AwakeClock
  readonly #random: () => number
  readonly #status: NodeStatus
  readonly #detector: FailureDetector
  readonly #health: Health
  readonly #server = new Server(channelOptions)
  readonly #diallers = new Map<string, Dialler>()
  readonly #attendances = new Set<Attendance>()
  readonly #loads = new Map<string, Load>()
  readonly #troubles = new Map<string, string>()
  #listener: Listener | undefined
  #sequence = 0
  #stopBeating = (): void => {}
  #allEnded = (): void => {}

  constructor(settings: NodeSettings, hooks: NodeHooks, means: NodeMeans) {
    this.#settings = settings
    this.#hooks = hooks
    this.#clock = means.clock ?? systemClock
    this.#random = means.random ?? Math.random
    this.#awake = new AwakeClock(this.#clock)
    this.#status = new NodeStatus(settings.name, this.#clock, new MainWatch(this.#awake, means.mainWords))
    this.#detector = new FailureDetector(this.#awake, settings.heartbeat, (event) => this.#changed(event))
    const files = [controlFile, healthFile, ...reflectionFiles]
    this.#health = new Health(files.map(({ serviceName }) => serviceName))
    this.#serve(files)
  }

  /** Listens and begins to attend. @returns the address, with the port that was got. @throws ConnectError, SecurityError. */
  async start(): Promise<string> {
    const { address, security, peers } = this.#settings
    const at = parseAddress(address)
    checkHost(security, at.host)
    // Who comes in is checked here: what grpc-js hears was said by nodes of this cluster.
    const within = this.#server.createConnectionInjector(ServerCredentials.createInsecure())
    this.#listener = await acceptPeers(at, {
      security,
      protocol: alpn,
      handshakeMs,
      refused: ({ message }) => this.#hooks.refused(message),
      accepted: (socket, peer) => {
        socket.once(
          'close',
          atMoment(peer.expiresAt, this.#clock, () => socket.destroy()),
        )
        within.injectConnection(socket)
      },
    })
    this.follow(peers)
    this.#beat()
    return this.#listener.address
  }

  /** Attends these peers and no others. */
  follow(peers: PeerTable): void {
    for (const [task, dialler] of this.#diallers) {
      const { address, node } = peers[task] ?? {}
      if (address === dialler.target.address && node === dialler.target.node) continue
      dialler.close()
      this.#diallers.delete(task)
      this.#loads.delete(task)
      this.#troubles.delete(task)
      // Who is elsewhere now is missed there as here: a process that dies before it is heard is not taken for the one before.
      if (address === undefined) this.#detector.forget(task)
      dialler.attendance?.end(new StatusError(grpcStatus.CANCELLED, `${task} is not followed there any more`))
    }
    for (const [task, target] of Object.entries(peers))
      if (task !== this.#settings.name.task && !this.#diallers.has(task))
        this.#diallers.set(task, this.#dialler(task, target))
  }

  /** Takes what the main thread says of the node. */
  update(update: NodeUpdate): void {
    this.#status.update(update)
    this.#health.set(this.#status.state === 'serving')
    if (update.devices)
      for (const attendance of this.#attendances)
        attendance.send({ case: 'hello', value: this.#status.hello(++this.#sequence) })
  }

  /** What is known of each peer. */
  peers(): PeerView[] {
    return [...this.#diallers.keys()].map((task) => ({
      task,
      state: 'absent',
      incarnation: '',
      silentMs: Infinity,
      ...this.#detector.look(task),
      load: this.#loads.get(task),
      trouble: this.#troubles.get(task) ?? '',
    }))
  }

  /** Says that it leaves, and why, and ends. */
  async close(reason: string): Promise<void> {
    this.#stopBeating()
    for (const dialler of this.#diallers.values()) dialler.close()
    const { task, incarnation } = this.#settings.name
    this.#tell({ case: 'news', value: { task, incarnation, state: peerStates.LEFT, reason } })
    this.#health.close()
    for (const attendance of this.#attendances) attendance.leave()
    await this.#listener?.close()
    await new Promise<void>((resolve) => {
      const late = this.#clock.after(closeMs, () => this.#server.forceShutdown())
      this.#server.tryShutdown(() => {
        late()
        resolve()
      })
    })
    // Those that were dialled end when the peer has taken what was said last.
    await new Promise<void>((resolve) => {
      const late = this.#clock.after(closeMs, resolve)
      this.#allEnded = () => {
        late()
        resolve()
      }
      if (this.#attendances.size === 0) this.#allEnded()
    })
    for (const attendance of this.#attendances)
      attendance.end(new StatusError(grpcStatus.CANCELLED, 'this node has left'))
    this.#detector.close()
    this.#awake.close()
  }

  #serve(files: Parameters<typeof reflection>[0]): void {
    const { security, operators } = this.#settings
    const service = controlService({
      status: this.#status,
      peerDevices: () => this.#peerDevices(),
      operators: 'credentials' in security ? new Set(operators) : undefined,
      stop: (request) => this.#hooks.stop(request),
    })
    const control = {
      ...service,
      Attend: {
        both: (stream, caller) => {
          if (this.#attendances.size >= most.attendances)
            throw new StatusError(grpcStatus.RESOURCE_EXHAUSTED, 'too many attend this node already')
          this.#attend(stream, caller)
        },
      },
    } satisfies Parameters<typeof implementation<typeof controlFile.definition>>[1]
    const add = <D extends Parameters<typeof implementation>[0]>(
      definition: D,
      handlers: Parameters<typeof implementation<D>>[1],
    ): void => this.#server.addService(definition, implementation(definition, handlers, security))
    add(controlFile.definition, control)
    add(healthFile.definition, this.#health.handlers)
    for (const { definition } of reflectionFiles) add(definition, reflection(files))
  }

  #dialler(task: string, target: PeerAddress): Dialler {
    return new Dialler(target, {
      security: this.#settings.security,
      clock: this.#clock,
      random: this.#random,
      wanted: () => !this.#attendanceOf(task),
      check: (peer) => demandPeer(task, peer, target.node),
      attend: (stream) => this.#attend(stream, undefined, task),
    })
  }

  /** @param task whom it was dialled for. */
  #attend(
    stream: ConstructorParameters<typeof Attendance>[0],
    caller: Attendance['caller'],
    task?: string,
  ): Attendance {
    const attendance = new Attendance(
      stream,
      this.#status.hello(++this.#sequence),
      {
        greeted: (one, hello) => this.#greeted(one, hello, task),
        heard: (one, says) => this.#heard(one, says),
        ended: (one, why) => this.#ended(one, why, task ?? one.peer?.task),
      },
      { clock: this.#awake, silentMs: this.#settings.heartbeat.deadAfterMs },
      caller,
    )
    this.#attendances.add(attendance)
    return attendance
  }

  #greeted(attendance: Attendance, hello: HelloMessage, dialled: string | undefined): void {
    const { cluster, task: own } = this.#settings.name
    const refuse = (why: string): never => {
      throw new StatusError(grpcStatus.FAILED_PRECONDITION, `${own}: ${why}`)
    }
    const { task, incarnation, sequence, devices } = hello
    const said = attendance.peer
    if (Math.max(task.length, incarnation.length, hello.version.length) > most.text || !task || !incarnation)
      refuse('a hello has a task and an incarnation, and neither is long')
    if (devices.length > most.devices) refuse(`${devices.length} devices are too many`)
    if (hello.cluster !== cluster) refuse(`this is cluster '${cluster}', not '${hello.cluster}'`)
    if (said && (said.task !== task || said.incarnation !== incarnation))
      refuse('one stream speaks for one process')
    if (dialled !== undefined && task !== dialled) refuse(`there is ${task} where ${dialled} should be`)
    if (task === own) refuse(`another process says that it is ${own}`)
    const dialler = this.#diallers.get(task)
    if (attendance.caller) this.#demandCaller(task, attendance.caller, dialler?.target.node, refuse)
    if (!dialler) return
    if (!this.#detector.heard(task, incarnation, sequence))
      refuse(`there is a younger process that is ${task}`)
    // Where both have dialled, the one whose name is less keeps its stream.
    if (dialled === undefined && task < own)
      dialler.attendance?.end(new StatusError(grpcStatus.CANCELLED, 'one stream is enough'))
    this.#troubles.delete(task)
  }

  /** Refuses a caller that says to be a task which by its certificate it may not be. */
  #demandCaller(
    task: string,
    caller: PeerIdentity,
    node: string | undefined,
    refuse: (why: string) => void,
  ): void {
    try {
      demandPeer(task, caller, node)
    } catch (thrown) {
      const { message } = asError(thrown)
      this.#hooks.refused(message)
      refuse(message)
    }
  }

  #heard(attendance: Attendance, says: AttendanceMessage['says']): void {
    const { task, incarnation } = attendance.peer!
    if (says.case === 'heartbeat') {
      if (!this.#diallers.has(task)) return
      if (!this.#detector.heard(task, incarnation, says.value.sequence))
        throw new StatusError(grpcStatus.FAILED_PRECONDITION, `there is a younger process that is ${task}`)
      if (says.value.load) this.#loads.set(task, readLoad(says.value.load))
    } else if (says.case === 'news') {
      const { state, task: whom, incarnation: which } = says.value
      const reason = says.value.reason.slice(0, most.text)
      if (state === peerStates.LEFT) {
        // Others cannot say so for it.
        if (whom === task && which === incarnation) this.#detector.gone(task, `it left: ${reason}`)
      } else {
        const word = newsWords.get(state)
        if (word) this.#hooks.news({ from: task, task: whom, incarnation: which, state: word, reason })
      }
    }
  }

  #ended(attendance: Attendance, why: Error, task: string | undefined): void {
    this.#attendances.delete(attendance)
    if (this.#attendances.size === 0) this.#allEnded()
    const dialler = task === undefined ? undefined : this.#diallers.get(task)
    if (task === undefined || !dialler) return
    if (!this.#attendanceOf(task)) this.#troubles.set(task, why.message)
    if (attendance === dialler.attendance && isRefusal(why))
      this.#detector.gone(
        task,
        `nobody listens at its port for signs of life any more, ${dialler.target.address}`,
      )
    dialler.ended(attendance)
  }

  #changed(event: PeerEvent): void {
    this.#hooks.peer(event)
    const { task, incarnation, state, reason } = event
    if (state === 'suspect') return
    const number = peerStates[state === 'joined' ? 'JOINED' : state === 'dead' ? 'DEAD' : 'RESTARTED']
    this.#tell({ case: 'news', value: { task, incarnation, state: number, reason } }, task)
  }

  #beat(): void {
    const { everyMs, jitter } = this.#settings.heartbeat
    this.#stopBeating = this.#clock.after(jittered(everyMs, jitter, this.#random), () => {
      this.#status.measure()
      this.#tell({ case: 'heartbeat', value: { sequence: ++this.#sequence, load: this.#status.load() } })
      this.#beat()
    })
  }

  /** Says something to all but one. */
  #tell(says: AttendanceMessage['says'], but?: string): void {
    for (const attendance of this.#attendances) if (attendance.peer?.task !== but) attendance.send(says)
  }

  /** A stream on which the peer has said who it is. */
  #attendanceOf(task: string): Attendance | undefined {
    return this.#attendances.values().find(({ peer }) => peer?.task === task)
  }

  #peerDevices() {
    return [...this.#diallers.keys()].flatMap((task) => this.#attendanceOf(task)?.peer?.devices ?? [])
  }
}

/** Makes sure that a peer may be a task, and is the node that the task has to be. @throws SecurityError. */
function demandPeer(task: string, peer: PeerIdentity, node: string | undefined): void {
  const { job = '', task: index = 0 } = parseDeviceName(task)
  demandTask({ job, task: index }, peer)
  if (node !== undefined && peer.cluster !== '' && peer.node !== node)
    throw new SecurityError(`the certificate names '${peer.node}' where '${node}' is expected, to be ${task}`)
}

const newsWords: ReadonlyMap<number, News['state']> = new Map([
  [peerStates.JOINED, 'joined'],
  [peerStates.DEAD, 'dead'],
  [peerStates.RESTARTED, 'restarted'],
])
