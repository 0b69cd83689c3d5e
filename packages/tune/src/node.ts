// What @shoal/tune offers in Node alone: studies in files.
export { SqliteStorage } from './storage/sqlite.ts'
