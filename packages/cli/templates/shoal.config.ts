// What `shoal` takes from here where neither a flag nor a variable of the environment says otherwise.
import { defineConfig } from 'shoal'

export default defineConfig({
  job: {
    program: './train.ts',
    // As many tasks as there are nodes with room.
    tasks: { worker: 'all' },
    // What the program reads as task.settings.
    set: { steps: 400 },
  },
})
