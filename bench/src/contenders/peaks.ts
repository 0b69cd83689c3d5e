// What the machine can do at this very moment, as contenders: a work takes at the peak as long as its arithmetic, or its bytes, would.
// The probes are WebAssembly text that wabt assembles, so that they depend on nothing that is measured.
import type { Contender } from '../contender.ts'
import { peerVersion, requirePeer } from '../peers.ts'
import { stopwatch } from '../stopwatch.ts'
import { boundBy } from '../work.ts'

type Assemble = () => Promise<{
  parseWat(
    name: string,
    text: string,
    features: { readonly relaxed_simd: true },
  ): { toBinary(options: object): { readonly buffer: Uint8Array<ArrayBuffer> } }
}>

/** Enough independent chains to hide the latency of two units, few enough for fifteen registers with the operands. */
const accumulators = 12
const lanes = 4

/** acc ← acc · x + y in registers only. */
function arithmetic(multiplyAdd: string): string {
  const each = (line: (i: number) => string): string =>
    Array.from({ length: accumulators }, (_, i) => line(i)).join('\n')
  return `(module
    (func (export "spin") (param $n i32) (param $start f32) (result f32)
      (local $x v128) (local $y v128)
      ${each((i) => `(local $a${i} v128)`)}
      (local.set $x (f32x4.splat (f32.const 0.999)))
      (local.set $y (f32x4.splat (local.get $start)))
      (loop $again
        ${each((i) => `(local.set $a${i} ${multiplyAdd.replaceAll('$a', `$a${i}`)})`)}
        (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
      ${each((i) => `(local.set $a0 (f32x4.add (local.get $a0) (local.get $a${i})))`)}
      (f32x4.extract_lane 0 (local.get $a0))))`
}

const fused = '(f32x4.relaxed_madd (local.get $a) (local.get $x) (local.get $y))'
const separate = '(f32x4.add (f32x4.mul (local.get $a) (local.get $x)) (local.get $y))'

const copying = (pages: number): string => `(module
  (memory ${pages})
  (func (export "copy") (param $bytes i32)
    (memory.copy (local.get $bytes) (i32.const 0) (local.get $bytes))))`

async function instantiate<Exports>(text: string): Promise<Exports> {
  const { parseWat } = await requirePeer<Assemble>('wabt')()
  const { buffer } = parseWat('probe.wat', text, { relaxed_simd: true }).toBinary({})
  return new WebAssembly.Instance(new WebAssembly.Module(buffer)).exports as Exports
}

/** The rate of register-only fused multiply-add, or of multiply and add apart. */
async function arithmeticPeak(name: string, multiplyAdd: string): Promise<Contender> {
  const { spin } = await instantiate<{ spin(n: number, start: number): number }>(arithmetic(multiplyAdd))
  const flopsPerTurn = 2 * lanes * accumulators
  const turns = 100_000
  return {
    name,
    version: peerVersion('wabt'),
    prepare: async (work) =>
      boundBy(work) !== 'arithmetic'
        ? undefined
        : {
            async sample() {
              let best = Infinity
              for (let i = 0; i < 3; i++) {
                const elapsed = stopwatch()
                spin(turns, 1)
                best = Math.min(best, elapsed())
              }
              return (best * work.flops) / (turns * flopsPerTurn)
            },
            result: async () => new Float32Array(),
            close: async () => undefined,
          },
  }
}

/** `memory.copy` with as many bytes read and written as the work has. */
const copyPeak = (): Contender => ({
  name: 'memory.copy',
  version: peerVersion('wabt'),
  async prepare(work) {
    if (boundBy(work) !== 'memory') return undefined
    const { bytes } = work
    const { copy } = await instantiate<{ copy(bytes: number): void }>(copying(Math.ceil(bytes / 65536)))
    return {
      async sample(repeats) {
        const elapsed = stopwatch()
        for (let i = 0; i < repeats; i++) copy(bytes / 2)
        return elapsed() / repeats
      },
      result: async () => new Float32Array(),
      close: async () => undefined,
    }
  },
})

/** All peaks. */
export const peaks = async (): Promise<Contender[]> => [
  await arithmeticPeak('fma peak', fused),
  await arithmeticPeak('multiply+add peak', separate),
  copyPeak(),
]
