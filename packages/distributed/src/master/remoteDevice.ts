// A device of another process, as far as placing nodes on it needs to know it.
import type { ConcreteType, PlaceableDevice, Signature } from '@shoal/core'
import { ProtocolError } from '../errors.ts'
import type { DeviceStatus, KernelQuery } from '../protocol/worker.ts'

/**
 * Answers what a device supports from what it was asked before. What it was never asked it answers with yes, and remembers the question: whoever plans
 * with such answers asks the device, and plans again where it said no.
 */
export class RemoteDevice implements PlaceableDevice {
  readonly type: string
  readonly caps: PlaceableDevice['caps']
  private readonly answers = new Map<string, boolean>()
  private readonly open = new Map<string, KernelQuery>()

  constructor({ type, dtypes }: DeviceStatus) {
    this.type = type
    this.caps = { dtypes: new Set(dtypes) }
  }

  supports(op: string, { inputs, outputs, attrs }: Signature): boolean {
    const query = { op, inputs: inputs.map(typeOf), outputs: outputs.map(typeOf), attrs: { ...attrs } }
    const key = keyOf(query)
    const known = this.answers.get(key)
    if (known === undefined) this.open.set(key, query)
    return known ?? true
  }

  /** What it was asked and does not know. */
  get questions(): readonly KernelQuery[] {
    return [...this.open.values()]
  }

  /** Takes the answers to some questions, in order. Others may have been asked since. @throws ProtocolError where one has no answer. */
  learn(questions: readonly KernelQuery[], answers: readonly boolean[]): void {
    if (answers.length !== questions.length)
      throw new ProtocolError(`${questions.length} questions came back with ${answers.length} answers`)
    questions.map(keyOf).forEach((key, i) => {
      this.answers.set(key, answers[i]!)
      this.open.delete(key)
    })
  }
}

const keyOf = (query: KernelQuery): string => JSON.stringify(query)

const typeOf = ({ dtype, shape }: ConcreteType): KernelQuery['inputs'][number] => ({
  dtype,
  shape: [...shape],
})
