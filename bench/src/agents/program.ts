// What agents are given to do here: trials that compute nothing, and tasks that read what they were sent.
import { defineProgram } from '@shoal/edge-agent/task'
import { float, randomSampler } from '@shoal/tune'

export default defineProgram({
  async train(task) {
    let bytes = 0
    for await (const piece of await task.dataset('data').file('data.bin').open()) bytes += piece.length
    if (task.index === 0) await task.result({ bytes })
  },
  search: {
    space: { x: float(0, 1) },
    sampler: randomSampler(),
    trials: 1,
    objective: ({ params }) => params.x,
  },
})
