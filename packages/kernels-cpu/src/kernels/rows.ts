// Gather and Concat in every dtype: rows of bytes, copied from where they are to where they belong.
import type { ConcreteType, Signature } from '@shoal/core'
import { dtypes, sizeOf } from '@shoal/core'
import { overUnits } from '../lower/odometer.ts'
import type { Stage } from '../stage.ts'
import { i32, type Local, memory, type ModuleBuilder } from '../wasm/index.ts'
import { type KernelDef, signatureKey } from './kernelDef.ts'
import { move } from './move.ts'
import { indexAt } from './tuples.ts'

type Address = Local<'i32'>

const bytesOf = ({ dtype, shape }: ConcreteType, from: number): number =>
  sizeOf(shape.slice(from)) * dtypes[dtype].bytes

/** Takes slices by index along an axis; an index that is out of range gives zeros. */
export const gather: KernelDef = {
  op: 'Gather',
  supports: ({ inputs }) => inputs[1]!.dtype === 'int32' || inputs[1]!.dtype === 'int64',
  compile: (signature, options) => ({
    workspaceBytes: 0,
    write: (module) =>
      module.once(signatureKey('Gather', signature, options), () => [writeGather(module, signature)]),
  }),
}

function writeGather(module: ModuleBuilder, { inputs, attrs }: Signature): Stage {
  const [x, indices] = inputs as readonly [ConcreteType, ConcreteType]
  const [axis, batchDims] = [Number(attrs['axis']), Number(attrs['batchDims'])]
  const batches = sizeOf(x.shape.slice(0, batchDims))
  const before = sizeOf(x.shape.slice(batchDims, axis))
  const size = x.shape[axis]!
  const row = bytesOf(x, axis + 1)
  const picks = sizeOf(indices.shape.slice(batchDims))
  const types = ['i32', 'i32', 'i32', 'i32', 'i32'] as const
  const func = module.define('gather', types, 'none', (f, from, index, to, begin, end) => {
    overUnits(f, [batches, before, picks], begin, end, ([batch, line, pick], unit) => {
      const [at, inside] = indexAt(f, index, i32.add(i32.mul(batch!, picks), pick!), indices, size)
      const target = f.let(i32.add(to, i32.mul(unit, row)))
      f.if(
        inside,
        () => {
          const source = i32.add(i32.mul(i32.add(i32.mul(batch!, before), line!), size), at)
          move(f, target, f.let(i32.add(from, i32.mul(source, row))), row)
        },
        () => f.do(memory.fill(target, 0, row)),
      )
    })
  })
  const finishes = sizeOf(x.shape.slice(axis + 1))
  return { func, units: batches * before * picks, work: row / 16 + 8, finishes }
}

/** Joins tensors along an axis. */
export const concat: KernelDef = {
  op: 'Concat',
  supports: () => true,
  compile: (signature, options) => ({
    workspaceBytes: 0,
    write: (module) =>
      module.once(signatureKey('Concat', signature, options), () => [writeConcat(module, signature)]),
  }),
}

function writeConcat(module: ModuleBuilder, { inputs, outputs, attrs }: Signature): Stage {
  const output = outputs[0]!
  const given = Number(attrs['axis'])
  const axis = given < 0 ? given + output.shape.length : given
  const row = bytesOf(output, axis)
  const types = Array.from({ length: inputs.length + 3 }, () => 'i32' as const)
  const func = module.define('concat', types, 'none', (f, ...parameters) => {
    const [to, begin, end] = parameters.slice(-3) as [Address, Address, Address]
    f.forRange(begin, end, 1, (unit) => {
      const target = f.let(i32.add(to, i32.mul(unit, row)))
      inputs.forEach((input, i) => {
        const part = bytesOf(input, axis)
        move(f, target, f.let(i32.add(parameters[i]!, i32.mul(unit, part))), part)
        f.set(target, i32.add(target, part))
      })
    })
  })
  return {
    func,
    units: sizeOf(output.shape.slice(0, axis)),
    work: row / 16 + 8 * inputs.length,
    finishes: sizeOf(output.shape.slice(axis)),
  }
}
