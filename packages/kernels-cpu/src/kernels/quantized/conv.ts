// QuantizedConv: windows are read where they lie if their runs are long enough for vectors, otherwise written out first.
import { sizeOf } from '@shoal/core'
import { i32, type Local, type ModuleBuilder, type Value } from '../../wasm/index.ts'
import type { Stage } from '../../stage.ts'
import { type KernelDef, type KernelOptions, signatureKey, weightsReplaced } from '../kernelDef.ts'
import { dotRows, type DotSpec } from './dotRows.ts'
import { depthwiseStage, filterStage, isDepthwise, packedBytes } from './depthwise.ts'
import { type Geometry, geometryOf, type Grid, gridOf, gridStage } from './grid.ts'
import { interleaveStage, laneRows, type LaneSpec, planInterleaving, suitsLanes } from './laneRows.ts'
import { joinsTaps, patchStage, planPatches } from './patches.ts'
import { matrixUnits, rowsStage } from './rows.ts'
import type { Way } from './way.ts'

/** Where everything lies. */
interface Places {
  readonly x: Value<'i32'>
  readonly filter: Value<'i32'>
  readonly y: Value<'i32'>
  /** What windows slide over: x or its copy. */
  readonly grid: Value<'i32'>
  /** Scratch memory behind the copy. */
  readonly scratch: Value<'i32'>
  /** Interleaved weights, behind that or where constants are prepared. */
  readonly interleaved: Value<'i32'>
}

/** A convolution but for the copy that its windows slide over, and for how its weights are interleaved. */
interface Plan {
  readonly grid: Grid
  /** Scratch memory besides that copy. */
  readonly bytes: number
  /** Present: its weights are interleaved so. */
  readonly lanes?: LaneSpec
  readonly stages: (
    module: ModuleBuilder,
    parameters: number,
    placesOf: (parameters: readonly Local<'i32'>[]) => Places,
  ) => readonly Stage[]
}

/** x int8 [batch, ...spatial, in], filter int8 [out, ...spatial, in / groups] → int32 [batch, ...spatial, out], multiplied in the way that `wayOf` chooses. */
export const quantizedConvBy = (wayOf: (options: KernelOptions) => Way): KernelDef => ({
  op: 'QuantizedConv',
  supports: ({ inputs, outputs }) => [...inputs, ...outputs].every(({ shape }) => sizeOf(shape) > 0),
  compile(signature, options) {
    const geometry = geometryOf(signature)
    const constant = signature.constants?.has(1) === true
    const plan = planOf(geometry, wayOf(options), constant)
    const { grid, lanes } = plan
    const lanesBytes = lanes ? planInterleaving(lanes).bytes : 0
    const prepares = lanes !== undefined && constant
    const scratch = grid.bytes + plan.bytes + (prepares ? 0 : lanesBytes)
    const parameters = 3 + (scratch > 0 ? 1 : 0) + (prepares ? 1 : 0)
    const placesOf = (p: readonly Local<'i32'>[]): Places => {
      // What is not there is not asked for.
      const [x, filter, y, workspace] = p as readonly [Local<'i32'>, Local<'i32'>, Local<'i32'>, Local<'i32'>]
      const behind = i32.add(workspace, grid.bytes)
      const interleaved = prepares ? p[parameters - 1]! : i32.add(behind, plan.bytes)
      return { x, filter, y, grid: grid.copied ? workspace : x, scratch: behind, interleaved }
    }
    const key = `${signatureKey('QuantizedConv', signature, options)} ${prepares}`
    return {
      workspaceBytes: scratch,
      write: (module) =>
        module.once(key, () => [
          ...(grid.copied ? [gridStage(module, geometry, parameters, (p) => [p[0]!, placesOf(p).grid])] : []),
          ...(lanes && !prepares
            ? [
                interleaveStage(module, lanes, parameters, (p) => [
                  placesOf(p).filter,
                  placesOf(p).interleaved,
                ]),
              ]
            : []),
          ...plan.stages(module, parameters, placesOf),
        ]),
      ...(prepares && {
        prepared: {
          bytes: lanesBytes,
          replaces: weightsReplaced,
          write: (module) => [interleaveStage(module, lanes, 3, (p) => [p[1]!, p[2]!])],
        },
      }),
    }
  },
})

/** Bytes that are worth a run of vectors: shorter ones leave too much of their last vector unused. */
const isLong = (bytes: number): boolean => bytes % 16 === 0 || bytes >= 48

function planOf(geometry: Geometry, way: Way, constant: boolean): Plan {
  if (isDepthwise(geometry)) return depthwise(geometry)
  const { run } = planPatches(geometry)
  return isLong(run) ? inPlace(geometry, way, constant) : writtenOut(geometry, way)
}

/** Each channel by itself. */
function depthwise(geometry: Geometry): Plan {
  // A vector of channels may reach beyond the last pixel, where a copy has room.
  const grid = gridOf(geometry, geometry.channels < 8)
  return {
    grid,
    bytes: packedBytes(geometry),
    stages: (module, parameters, placesOf) => [
      filterStage(module, geometry, parameters, (p) => [placesOf(p).filter, placesOf(p).scratch]),
      depthwiseStage(module, geometry, grid, parameters, (p) => {
        const { grid: from, scratch, y } = placesOf(p)
        return [from, scratch, y]
      }),
    ],
  }
}

/** Sums over the grid as it lies: a row is a window, one further for each pixel of a line. */
function inPlace(geometry: Geometry, way: Way, constant: boolean): Plan {
  const { batch, channels, output, stride, dilation, kernel, groups, seen, made } = geometry
  const grid = gridOf(geometry, false)
  const [depth, height, width] = grid.sizes
  const [line, plane] = [width * channels, height * width * channels]
  const joined = joinsTaps(geometry)
  const spec: DotSpec = {
    way,
    columns: made,
    run: joined ? kernel[2] * seen : seen,
    levels: [
      { count: kernel[0], step: dilation[0] * plane },
      { count: kernel[1], step: dilation[1] * line },
      { count: joined ? 1 : kernel[2], step: dilation[2] * channels },
    ].filter(({ count }) => count > 1),
    xRow: stride[2] * channels,
    wRow: kernel[0] * kernel[1] * kernel[2] * seen,
    yRow: groups * made * 4,
    groups,
    xGroup: seen,
  }
  const lines = {
    sizes: [batch, output[0], output[1]],
    steps: [depth * plane, stride[0] * plane, stride[1] * line],
    rows: output[2],
    lastRows: output[2],
  }
  if (constant && spec.levels.length === 0 && suitsLanes(spec.run)) {
    const lanes: LaneSpec = { ...spec, depth: spec.run }
    return {
      grid,
      bytes: 0,
      lanes,
      stages: (module, parameters, placesOf) => [
        rowsStage(module, laneRows(module, lanes), lines, parameters, (p) => {
          const { grid: from, interleaved, y } = placesOf(p)
          return [from, interleaved, y]
        }),
      ],
    }
  }
  return {
    grid,
    bytes: 0,
    stages: (module, parameters, placesOf) => [
      rowsStage(module, dotRows(module, spec), lines, parameters, (p) => {
        const { grid: from, filter, y } = placesOf(p)
        return [from, filter, y]
      }),
    ],
  }
}

/** Windows as rows of a matrix. */
function writtenOut(geometry: Geometry, way: Way): Plan {
  const { batch, output, kernel, groups, seen, made } = geometry
  const grid = gridOf(geometry, true)
  const patches = planPatches(geometry)
  const lanes: LaneSpec = {
    way,
    columns: made,
    depth: kernel[0] * kernel[1] * kernel[2] * seen,
    xRow: patches.position,
    yRow: groups * made * 4,
    groups,
    xGroup: patches.group,
  }
  const positions = matrixUnits(batch * output[0] * output[1] * output[2], patches.position)
  return {
    grid,
    bytes: patches.bytes,
    lanes,
    stages: (module, parameters, placesOf) => [
      patchStage(module, geometry, grid, patches, parameters, (p) => [placesOf(p).grid, placesOf(p).scratch]),
      rowsStage(module, laneRows(module, lanes), positions, parameters, (p) => {
        const { scratch, interleaved, y } = placesOf(p)
        return [scratch, interleaved, y]
      }),
    ],
  }
}
