/** What a caller may lose to a store: kept while the store fails, else no machine is so busy. */
import { COMMAND_TIMEOUT_MS } from '../../src/tokens/store/store-caller.ts'
import { RealLimit } from './real-limit.ts'

/** One for all stores of a process: limits are recognized by their delay. */
export const storeLimit = new RealLimit(COMMAND_TIMEOUT_MS, 10_000)
