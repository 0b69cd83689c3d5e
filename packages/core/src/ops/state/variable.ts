// Variables: state that a session keeps between runs, read and assigned by nodes.
import { fixedSize, numerics } from '../../dtype.ts'
import { DTypeError, ShapeError } from '../../errors.ts'
import type { Tensor } from '../../graph/graph.ts'
import { named, onDevice, surroundings, wantedDevice } from '../../graph/scope.ts'
import type { AnyOp } from '../../op.ts'
import { attr, defineOp } from '../../op.ts'
import type { AnyResource, VariableResource, VariableSlice } from '../../resource.ts'
import type { DType } from '../../dtype.ts'
import type { TensorType } from '../../shape.ts'
import { formatType, isConcrete, mergeShapes } from '../../shape.ts'
import type { TensorLike } from '../constant.ts'
import { toTensor } from '../constant.ts'
import { identity } from '../graph/identity.ts'

const resourceAttr = { resource: attr.resource('the variable') }
const declared = (resource: AnyResource): TensorType => (resource as VariableResource).type

const readVariable = defineOp({
  name: 'ReadVariable',
  doc: 'The value of a variable: before the assignments of this run, unless it waits for one of them.',
  inputs: [],
  attrs: resourceAttr,
  traits: { effect: 'read' },
  infer: (_, { resource }) => [declared(resource)],
  grad: (): [] => [],
  body: { kind: 'runtime', role: 'readVariable' },
})

const assignVariable = defineOp({
  name: 'AssignVariable',
  doc: 'Sets a variable, or adds to or subtracts from it in one piece; answers its new value.',
  inputs: ['value'],
  dtypes: [fixedSize],
  attrs: { ...resourceAttr, update: attr.oneOf('what happens to the old value', ['set', 'add', 'sub']) },
  traits: { effect: 'write' },
  infer: ([value], { resource, update }) => [assigned(declared(resource), value, update)],
  body: { kind: 'runtime', role: 'assign' },
})

const scatterVariable = defineOp({
  name: 'ScatterVariable',
  doc: 'Sets rows of a variable, or adds to or subtracts from them; answers its new value.',
  inputs: ['indices', 'updates'],
  dtypes: [['int32', 'int64'], fixedSize],
  literals: { indices: 'int32' },
  attrs: {
    ...resourceAttr,
    update: attr.oneOf('what happens to the old rows', ['set', 'add', 'sub', 'min', 'max']),
  },
  traits: { effect: 'write' },
  infer: ([indices, updates], { resource }) => {
    const type = declared(resource)
    if (updates.dtype !== type.dtype)
      throw new DTypeError(`updates are ${updates.dtype}, the variable is ${type.dtype}: cast them`)
    mergeShapes(
      updates.shape,
      [...indices.shape, ...type.shape.slice(1)],
      'updates must be [...indices, ...rows]',
    )
    return [type]
  },
  body: { kind: 'runtime', role: 'scatter' },
})

function assigned(type: TensorType, value: TensorType, update: string): TensorType {
  if (value.dtype !== type.dtype)
    throw new DTypeError(`the value is ${value.dtype}, the variable ${formatType(type)}: cast it`)
  if (update !== 'set' && !numerics.includes(type.dtype))
    throw new DTypeError(`cannot ${update} to a ${type.dtype} variable`)
  return {
    dtype: type.dtype,
    shape: mergeShapes(type.shape, value.shape, 'the value does not fit the variable'),
  }
}

/** The definitions behind variables, for lists of ops. */
export const variableOps: readonly AnyOp[] = [readVariable, assignVariable, scatterVariable]

/** State that each session keeps for itself between runs. Usable wherever a tensor is: it is read there. */
export class Variable {
  readonly resource: VariableResource
  /** One reading for each body: what is read inside a loop is another node than what is read before it. */
  private readonly readings = new WeakMap<object, Tensor>()

  constructor(resource: VariableResource) {
    this.resource = resource
  }
  /** Unique among the variables of a graph; checkpoints use it. */
  get name(): string {
    return this.resource.name
  }
  /** The dtype of its value. */
  get dtype(): DType {
    return this.resource.type.dtype
  }
  /** The shape of its value. */
  get shape(): readonly number[] {
    return this.resource.type.shape as readonly number[]
  }

  /**
   * Its value: as it was before the run, unless built within `controlDependencies` on an assignment. In the body of a branch or loop
   * that assigns it: as it was before that step.
   */
  read(): Tensor {
    const { control, device, body } = surroundings()
    const make = (): Tensor => this.build(() => readVariable({ resource: this.resource, name: 'read' }))
    if (control.length > 0 || (device !== '' && this.home === '')) return make()
    const reading = this.readings.get(body) ?? make()
    this.readings.set(body, reading)
    return reading
  }
  /** Sets it to `value`; the answer is the new value, and fetching or running it does the work. */
  assign(value: TensorLike): Tensor {
    return this.update('assign', value, 'set')
  }
  /** Adds `delta` in one piece: no update of the same run is lost. Answers the new value. */
  assignAdd(delta: TensorLike): Tensor {
    return this.update('assignAdd', delta, 'add')
  }
  /** Subtracts `delta` in one piece. Answers the new value. */
  assignSub(delta: TensorLike): Tensor {
    return this.update('assignSub', delta, 'sub')
  }
  /** Sets rows: `indices` [...n], `updates` [...n, ...rest]; of rows named twice the last one counts. Answers the new value. */
  scatterUpdate(indices: TensorLike, updates: TensorLike): Tensor {
    return this.scatter(indices, updates, 'set')
  }
  /** Adds to rows; rows named twice get both. Answers the new value. */
  scatterAdd(indices: TensorLike, updates: TensorLike): Tensor {
    return this.scatter(indices, updates, 'add')
  }
  /** Subtracts from rows; rows named twice get both. Answers the new value. */
  scatterSub(indices: TensorLike, updates: TensorLike): Tensor {
    return this.scatter(indices, updates, 'sub')
  }

  /** Any update of rows. Answers the new value. */
  scatter(indices: TensorLike, updates: TensorLike, update: 'set' | 'add' | 'sub' | 'min' | 'max'): Tensor {
    return this.build(() =>
      scatterVariable(toTensor(indices, 'int32'), toTensor(updates, this.dtype), {
        resource: this.resource,
        update,
        name: 'scatter',
      }),
    )
  }
  private update(name: string, value: TensorLike, update: 'set' | 'add' | 'sub'): Tensor {
    return this.build(() =>
      assignVariable(toTensor(value, this.dtype), { resource: this.resource, update, name }),
    )
  }
  /** The device that the variable was made on, if one was asked for. */
  private get home(): string {
    return this.resource.initial?.node.device ?? ''
  }
  /** Nodes of a variable are named under it, and are where it is, whatever scope they are built in. */
  private build(make: () => Tensor): Tensor {
    const { home } = this
    return named(`${this.resource.name}/`, () => (home === '' ? make() : onDevice(home, make)))
  }
}

let unnamed = 0

/**
 * A variable that `session.initialize` sets to `initial`, which may be any tensor, also one that reads other variables.
 * @param options.name scoped; numbered when left out, but then checkpoints depend on the order of creation.
 * @param options.dtype for plain numbers; default float32.
 * @param options.trainable do optimizers change it? Default true.
 * @param options.slice what it is of a larger variable: see `partitionedVariable`. Default: it is one by itself.
 * @throws ShapeError when the shape of `initial` is not fully known.
 */
export function variable(
  initial: TensorLike,
  options: {
    readonly name?: string
    readonly dtype?: DType
    readonly trainable?: boolean
    readonly slice?: VariableSlice
  } = {},
): Variable {
  const value = toTensor(initial, options.dtype)
  const name = surroundings().prefix + (options.name ?? `variable_${unnamed++}`)
  if (!isConcrete(value.shape))
    throw new ShapeError(
      `variable '${name}': its initial value is ${formatType(value.type)}; a variable needs known sizes`,
    )
  const { trainable = true, slice } = options
  const declared = { kind: 'variable', name, type: value.type, trainable, ...(slice && { slice }) } as const
  // A variable lives where its initial value is made: here, even if the value comes from another device.
  const home = wantedDevice(declared)
  const made = value.node.device === home ? value : onDevice(home, () => identity(value))
  return new Variable({ ...declared, initial: made })
}
