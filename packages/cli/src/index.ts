// What programs and config files import from 'shoal'.
export type { AgentSettings, JobSettings, ShoalConfig } from './config/config.ts'
export { defineConfig } from './config/config.ts'
