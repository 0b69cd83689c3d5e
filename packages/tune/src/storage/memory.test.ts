import { storageSuite } from '../testing/storageSuite.ts'
import { MemoryStorage } from './memory.ts'

storageSuite('the storage in memory', () => new MemoryStorage())
