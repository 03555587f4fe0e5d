/** Calls to DynamoDB through a client of the AWS SDK, each within a time limit. */
import { performance } from 'node:perf_hooks'

/** An attribute value that the store writes. */
export type DynamoDbInputValue =
  | { readonly S: string }
  | { readonly N: string }
  | { readonly B: Uint8Array }
  | { readonly M: Readonly<Record<string, DynamoDbInputValue>> }

/** An attribute value that DynamoDB returns. */
export interface DynamoDbValue {
  readonly S?: string | undefined
  readonly N?: string | undefined
  readonly B?: Uint8Array | undefined
  readonly M?: Readonly<Record<string, DynamoDbValue>> | undefined
}

/** Attributes by name. */
export type DynamoDbItem = Readonly<Record<string, DynamoDbValue>>

/** The key of an item. */
interface DynamoDbKey {
  readonly TableName: string
  readonly Key: Readonly<Record<string, DynamoDbInputValue>>
}

/** The parameters of GetItem that the store uses. */
export interface DynamoDbGetInput extends DynamoDbKey {
  readonly ConsistentRead: boolean
  readonly ProjectionExpression: string
  readonly ExpressionAttributeNames: Readonly<Record<string, string>>
}

/** The parameters of UpdateItem that the store uses. */
export interface DynamoDbUpdateInput extends DynamoDbKey {
  readonly UpdateExpression: string
  readonly ConditionExpression?: string
  readonly ExpressionAttributeNames: Readonly<Record<string, string>>
  readonly ExpressionAttributeValues?: Readonly<Record<string, DynamoDbInputValue>>
  readonly ReturnValues?: 'UPDATED_NEW'
}

/** Options of one call. */
export interface DynamoDbCallOptions {
  readonly abortSignal: AbortSignal
}

/** The required part of `DynamoDB` from `@aws-sdk/client-dynamodb`, version 3. */
export interface DynamoDbLike {
  getItem(
    input: DynamoDbGetInput,
    options: DynamoDbCallOptions,
  ): Promise<{ readonly Item?: DynamoDbItem | undefined }>
  updateItem(
    input: DynamoDbUpdateInput,
    options: DynamoDbCallOptions,
  ): Promise<{ readonly Attributes?: DynamoDbItem | undefined }>
}

/**
 * Milliseconds of one command of the store, retries of the SDK included. No caller waits that long: a response that is
 * late for its caller still shows that DynamoDB is back.
 */
const COMMAND_LIMIT_MS = 2000

/** @returns The monotonic time, in milliseconds, at which a command that starts now ends. */
export function createDeadline(): number {
  return performance.now() + COMMAND_LIMIT_MS
}

/** Limits the time of calls: the SDK has no default limit, and pauses between its attempts. */
export class BoundedCalls {
  readonly #inFlight = new Set<AbortController>()
  #isClosed = false

  /** Rejects at the deadline and after {@link close}, and aborts the call then. */
  async run<Output>(
    deadline: number,
    send: (options: DynamoDbCallOptions) => Promise<Output>,
  ): Promise<Output> {
    if (this.#isClosed) throw new Error('The store is closed')
    const controller = new AbortController()
    const { signal } = controller
    const aborted = new Promise<never>((_resolve, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason), { once: true })
    })
    const leftMs = deadline - performance.now()
    const timer = setTimeout(() => controller.abort(new DynamoDbTimeoutError()), leftMs).unref()
    this.#inFlight.add(controller)
    try {
      return await Promise.race([send({ abortSignal: signal }), aborted])
    } finally {
      clearTimeout(timer)
      this.#inFlight.delete(controller)
    }
  }

  close(): void {
    this.#isClosed = true
    for (const controller of this.#inFlight) controller.abort(new Error('The store is closed'))
  }
}

/** DynamoDB did not respond within the time limit of a command. */
class DynamoDbTimeoutError extends Error {
  readonly code = 'TIMEOUT'

  constructor() {
    super('DynamoDB did not respond in time')
    this.name = 'DynamoDbTimeoutError'
  }
}

/** Whether DynamoDB did not write because the condition of the write is not met. */
export function isConditionFailure(error: unknown): boolean {
  return error instanceof Error && error.name === 'ConditionalCheckFailedException'
}
