// The flags of WebGPU by value: Node has no global constants for them (https://www.w3.org/TR/webgpu/#namespacedef-gpubufferusage).

/** What buffers may be used for. */
export const usage = {
  mapRead: 0x1,
  mapWrite: 0x2,
  copySource: 0x4,
  copyTarget: 0x8,
  storage: 0x80,
  queryResolve: 0x200,
} as const

/** How buffers are mapped. */
export const mapMode = { read: 0x1, write: 0x2 } as const

/** Pipelines of this package compute. */
export const computeStage = 0x4
