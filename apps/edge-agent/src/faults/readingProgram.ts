// A program that says what it reads of its dataset.
import { defineProgram } from '../task/index.ts'

/** Tells the sum of all bytes of all files. */
export default defineProgram({
  async train(task) {
    const dataset = task.dataset('data')
    let sum = 0
    for (const { path } of dataset.files)
      for await (const bytes of await dataset.file(path).open()) for (const byte of bytes) sum += byte
    task.log(`${task.node} has read ${sum}`)
  },
})
