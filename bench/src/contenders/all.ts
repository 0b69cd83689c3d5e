// Everybody who takes part, in the order of the tables.
import type { Contender } from '../contender.ts'
import { installPeers } from '../peers.ts'
import { jaxJs } from './jax.ts'
import { onnxruntime } from './onnxruntime.ts'
import { peaks } from './peaks.ts'
import { plain, variants } from './shoals.ts'
import { tfjs } from './tfjs.ts'
import { torch } from './torch.ts'

/** Installs the peers where needed, and starts them. */
export async function contenders(): Promise<readonly Contender[]> {
  installPeers()
  const found = await torch()
  if (!found)
    console.log('PyTorch is left out: no python3 has torch and numpy (PYTHON may name one that does)')
  return [
    plain,
    ...(await peaks()),
    ...variants,
    tfjs('cpu'),
    tfjs('wasm'),
    await jaxJs(),
    onnxruntime('web'),
    onnxruntime('node'),
    ...(found ? [found] : []),
  ]
}
