// What goes wrong on a GPU, made to go wrong: every fault has an error of its own, and leaves the way open for a new session.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import type { Tensor } from '@shoal/core'
import {
  add,
  cast,
  cholesky,
  ClosedError,
  concat,
  DeviceLostError,
  exp,
  inspectProgram,
  matmul,
  mul,
  NDArray,
  OutOfMemoryError,
  PlacementError,
  placeholder,
  reference,
  scope,
  Session,
  sum,
  tanh,
  ValueError,
  variable,
} from '@shoal/core'
import { describe, expect, it } from 'vitest'
import { create } from 'webgpu'
import { ShaderError } from './errors.ts'
import { webgpu, type WebGpuDevice } from './webgpu.ts'

const x = placeholder({ shape: [1000], name: 'x' })
const ones = new NDArray('float32', [1000], new Float32Array(1000).fill(1))

/** Has every shader that is compiled from now on use a name that nobody has declared. */
function spoilShaders({ gpu }: WebGpuDevice): void {
  const create = gpu.createShaderModule.bind(gpu)
  gpu.createShaderModule = ({ code, ...rest }) =>
    create({ ...rest, code: code.replace('i32(invocation)', 'nobody_knows_this') })
}

describe('opening', () => {
  it('refuses options that it does not know', async () => {
    for (const [options, fault] of [
      [
        { features: ['shader-f64'] },
        "webgpu: features must be a list of shader-f16, subgroups, timestamp-query, got ['shader-f64']",
      ],
      [{ maxBytes: 10 }, 'webgpu: maxBytes must be a number from 65536, got 10'],
      [{ maxByte: 2 ** 20 }, "there is no 'maxByte'"],
      [
        { powerPreference: 'fast' },
        "webgpu: powerPreference must be 'low-power' or 'high-performance', got 'fast'",
      ],
      [{ adapter: {} }, 'webgpu: adapter must be a GPUAdapter'],
    ] as const) {
      const opened = webgpu(options as object)
      await expect(opened).rejects.toThrow(ValueError)
      await expect(opened).rejects.toThrow(fault)
    }
  })
  it('says what to do where there is no driver', async () => {
    const { code, output } = await inNode(opening, {
      VK_ICD_FILENAMES: '/nowhere.json',
      XDG_RUNTIME_DIR: '/nowhere',
    })
    expect(output).toContain('PlacementError: WebGPU found no adapter: install a Vulkan driver')
    expect(code).not.toBe(0)
  })
  it('says of an adapter that has a device already that it opens no other', async () => {
    const gpu = create([])
    const adapter = (await gpu.requestAdapter())!
    await using first = await webgpu({ adapter })
    expect(first.adapterInfo).toBe(adapter.info)
    await expect(webgpu({ adapter })).rejects.toThrow(PlacementError)
    await expect(webgpu({ adapter })).rejects.toThrow(/an adapter opens one only, request another/)
  })
  it('names the npm package that Node needs', async () => {
    const hide = `data:text/javascript,import { registerHooks } from 'node:module';
      registerHooks({ resolve(name, context, next) { if (name === 'webgpu') throw new Error('hidden'); return next(name, context) } })`
    const { code, output } = await inNode(opening, {}, ['--import', hide])
    expect(output).toContain(
      "Node has no WebGPU of its own: add the npm package 'webgpu' (npm install webgpu)",
    )
    expect(code).not.toBe(0)
  })
})

const opening = 'await webgpu()'

/** Runs a program in a process of its own, and answers what it complains of. */
async function inNode(
  work: string,
  env: NodeJS.ProcessEnv,
  args: readonly string[] = [],
): Promise<{ readonly code: number; readonly output: string }> {
  const program = `import { webgpu } from ${JSON.stringify(new URL('index.ts', import.meta.url).href)}; ${work}`
  const child = spawn(
    process.execPath,
    ['--conditions=@shoal/source', ...args, '--input-type=module', '--eval', program],
    { cwd: import.meta.dirname, env: { ...process.env, ...env }, stdio: ['ignore', 'ignore', 'pipe'] },
  )
  const [output, [code]] = await Promise.all([text(child.stderr), once(child, 'close')])
  return { code: code as number, output }
}

describe('a device that nobody closed', () => {
  // Collecting Dawn's entry point together with what came from it ends the process by a signal.
  it.each([
    ['opened and left', opening],
    ['lost and left', `(await webgpu()).gpu.destroy()`],
    [
      'of a session that was left',
      `await new Session({ devices: [await webgpu()] }).run(exp(x), { x: [1, 2, 3, 4] })`,
    ],
  ])('is collected without harm: %s', async (_, leaving) => {
    const program = `
      import { exp, placeholder, Session } from '@shoal/core'
      const x = placeholder({ shape: [4], name: 'x' })
      const leave = async () => { ${leaving} }
      for (let i = 0; i < 6; i++) {
        await leave()
        gc()
        await new Promise(setImmediate)
        gc()
      }`
    expect(await inNode(program, {}, ['--expose-gc'])).toEqual({ code: 0, output: '' })
  })
})

describe('a GPU that is lost', () => {
  it('ends the session with an error of its own, in the middle of a step too, and a new session goes on', async () => {
    const device = await webgpu()
    const session = new Session({ devices: [device] })
    const step = sum(exp(x))
    await session.run(step, [[x, ones]])
    const running = session.run(step, [[x, ones]])
    device.gpu.destroy()
    await expect(running).rejects.toThrow(DeviceLostError)
    await expect(session.run(step, [[x, ones]])).rejects.toThrow('restore variables from a checkpoint')
    await session.close()
    await using again = new Session({ devices: [await webgpu()] })
    expect((await again.run(step, [[x, ones]])).item()).toBeCloseTo(1000 * Math.E, 2)
  })
  it('is told once the device was asked for something', async () => {
    const device = await webgpu()
    device.gpu.destroy()
    await device.gpu.lost
    expect(() => device.alloc(4)).toThrow(DeviceLostError)
    await device[Symbol.asyncDispose]()
  })
})

describe('a device that is disposed of', () => {
  it('ends what is being read with an error of its own', async () => {
    const device = await webgpu()
    const reading = device.read(device.alloc(64))
    await Promise.all([expect(reading).rejects.toThrow(ClosedError), device[Symbol.asyncDispose]()])
    expect(() => device.alloc(4)).toThrow(ClosedError)
  })
})

describe('memory', () => {
  it('is refused beyond maxBytes, with what is held', async () => {
    await using session = new Session({ devices: [await webgpu({ maxBytes: 2 ** 20 })] })
    const kept = variable(ones, { name: 'kept' })
    await session.initialize(kept)
    const large = placeholder({ shape: [2 ** 18 - 1000] })
    const zeros = new NDArray('float32', [2 ** 18 - 1000], new Float32Array(2 ** 18 - 1000))
    const more = session.run(exp(large), [[large, zeros]])
    await expect(more).rejects.toThrow(OutOfMemoryError)
    await expect(more).rejects.toThrow(/\d+ bytes more; \d+ are held.*smaller batches/)
    // What was there stays usable.
    expect((await session.run(sum(kept.read()))).item()).toBe(1000)
  })
  it('says how large a buffer may be', async () => {
    await using device = await webgpu()
    expect(() => device.alloc(device.caps.maxBytes + 1024)).toThrow(
      /one tensor takes \d+ bytes, this GPU allows \d+ for a buffer/,
    )
    await using small = await webgpu({ maxBytes: 2 ** 20 })
    expect(() => small.alloc(2 ** 20 + 1)).toThrow(
      'one tensor takes 1048832 bytes, maxBytes allows 1048576 for all: use smaller batches, or split the tensor',
    )
  })
})

describe('bindings', () => {
  it('are never more than the adapter allows, however many inputs an op has', async () => {
    const device = await webgpu()
    await using session = new Session({ devices: [device] })
    const many = Array.from({ length: 3 * device.caps.maxBuffers }, (_, i) =>
      placeholder({ shape: [4], name: `x${i}` }),
    )
    const feeds = many.map((t, i) => [t, new NDArray('float32', [4], new Float32Array(4).fill(i))] as const)
    const total = many.reduce<Tensor>((a, b) => add(a, b), tanh(many[0]!))
    const [sums, all] = await session.run([total, concat(many, { axis: 0 })], feeds)
    const expected = (many.length * (many.length - 1)) / 2
    expect(sums.numbers()).toEqual(new Array(4).fill(expected))
    expect(all.numbers().filter((_, i) => i % 4 === 0)).toEqual(many.map((_, i) => i))
  })
})

describe('an adapter with the least limits that there are', () => {
  it('is enough for a product of a tensor with itself, followed by as much as it may be', async () => {
    const square = placeholder({ shape: [4, 4], name: 'square' })
    const others = Array.from({ length: 8 }, (_, i) => placeholder({ shape: [4, 4], name: `other${i}` }))
    const y = others.reduce<Tensor>((a, b) => add(a, b), mul(matmul(square, square), square))
    const value = new NDArray(
      'float32',
      [4, 4],
      Float32Array.from({ length: 16 }, (_, i) => i - 7),
    )
    const feeds = [square, ...others].map((t) => [t, value] as const)
    await using plain = new Session()
    await using session = new Session({ devices: [await webgpu({ adapter: await leastAdapter() })] })
    expect((await session.run(y, feeds)).numbers()).toEqual((await plain.run(y, feeds)).numbers())
  })
})

/** Entry points must not be collected before the devices that came from them. */
const entries: GPU[] = []

/** An adapter that allows what every one does (https://www.w3.org/TR/webgpu/#limits). */
async function leastAdapter(): Promise<GPUAdapter> {
  const gpu = create([])
  entries.push(gpu)
  const adapter = (await gpu.requestAdapter())!
  const limits = {
    maxBufferSize: 268435456,
    maxStorageBufferBindingSize: 134217728,
    maxStorageBuffersPerShaderStage: 8,
    maxComputeWorkgroupStorageSize: 16384,
    maxComputeInvocationsPerWorkgroup: 256,
    maxComputeWorkgroupSizeX: 256,
  }
  return new Proxy(adapter, {
    get(target, key) {
      const value: unknown = key === 'limits' ? limits : Reflect.get(target, key, target)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
}

describe('what the GPU has not', () => {
  it('goes to the next device, as the programs show', async () => {
    await using session = new Session({ devices: [await webgpu(), reference()] })
    const half = mul(x, 0.5)
    const exact = sum(cast(half, { to: 'float64' }))
    const programs = await session.programs([exact], [[x, ones]])
    const report = programs.map((program) => inspectProgram(program).toString()).join('\n')
    expect(report).toMatch(/device:webgpu/)
    expect(report).toMatch(/device:reference/)
    expect((await session.run(exact, [[x, ones]])).item()).toBe(500)
  })
  it('is refused where nobody has it', async () => {
    await using session = new Session({ devices: [await webgpu()] })
    const square = placeholder({ shape: [2, 2], name: 'square' })
    for (const [y, fault] of [
      [
        sum(cast(x, { to: 'float64' })),
        /Cast 'cast': no device of the session has float64: .*add .* cpu\(\)/,
      ],
      [
        cholesky(square),
        /Cholesky 'cholesky': no device of the session runs it on float32: .*add .* cpu\(\)/,
      ],
    ] as const) {
      const run = session.run(y, [
        [x, ones],
        [
          square,
          [
            [1, 0],
            [0, 1],
          ],
        ],
      ])
      await expect(run).rejects.toThrow(PlacementError)
      await expect(run).rejects.toThrow(fault)
    }
  })
})

describe('a shader that is refused', () => {
  it('is shown with its kernel and its lines', async () => {
    const device = await webgpu()
    await using session = new Session({ devices: [device] })
    spoilShaders(device)
    const failed = session.run(
      scope('grown', () => exp(x)),
      [[x, ones]],
    )
    await expect(failed).rejects.toThrow(ShaderError)
    await expect(failed).rejects.toThrow(/the shader of kernel '.*grown.*' was refused: .*nobody_knows_this/s)
    await expect(failed).rejects.toThrow(/> +\d+ \| {3}let lane = i32\(invocation\);/)
  })
  it('is told at the next reading where kernels are launched one by one', async () => {
    const device = await webgpu()
    await using session = new Session({ devices: [device] })
    spoilShaders(device)
    await expect(session.run(exp(x), [[x, ones]], { onTrace: () => undefined })).rejects.toThrow(ShaderError)
  })
})
