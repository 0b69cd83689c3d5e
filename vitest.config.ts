// The whole workspace as one run: each package is a project, and so are the tools.
import { defineConfig } from 'vitest/config'

export default defineConfig({ test: { projects: ['packages/*', 'apps/*', 'examples/*', 'bench', 'tools'] } })
