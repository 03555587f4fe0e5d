/** A DynamoDB of the test: dynalite on loopback, which can be slow, throttled or down, and clients of the AWS SDK. */
import { once } from 'node:events'
import { createServer, type Server, type ServerResponse } from 'node:http'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import { DynamoDB } from '@aws-sdk/client-dynamodb'
import type { Test } from 'tap'
import { storeLimit } from './store-limit.ts'

/** Has no types. */
const dynalite = createRequire(import.meta.url)('dynalite') as (options: {
  readonly createTableMs: number
}) => Server

export const TABLE = 'tokens'

/** How requests fail: with an exception, without a response, or with a closed connection. */
export type DynamoDbFault = { readonly exception: string } | 'hangs' | 'is down' | undefined

/** A running server. */
export class DynamoDbServer {
  readonly endpoint: string
  /** Milliseconds by which each request is late. */
  delayMs = 0
  /** Operations in order of arrival. */
  readonly operations: string[] = []
  readonly #clients: DynamoDB[] = []
  #fault: DynamoDbFault

  constructor(endpoint: string) {
    this.endpoint = endpoint
    storeLimit.lengthen()
  }

  get fault(): DynamoDbFault {
    return this.#fault
  }

  set fault(fault: DynamoDbFault) {
    this.#fault = fault
    if (fault === undefined) storeLimit.lengthen()
    else storeLimit.shorten()
  }

  /** @returns A client with a separate connection pool. */
  createClient(maxAttempts = 3): DynamoDB {
    const client = new DynamoDB({
      endpoint: this.endpoint,
      region: 'eu-west-1',
      credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
      maxAttempts,
    })
    this.#clients.push(client)
    return client
  }

  close(): void {
    for (const client of this.#clients) client.destroy()
  }
}

/** Starts a server with an empty table, which ends with the test. */
export async function startDynamoDb(t: Test): Promise<DynamoDbServer> {
  const tables = dynalite({ createTableMs: 0 })
  const server = createServer((request, response) => {
    dynamoDb.operations.push(String(request.headers['x-amz-target']).replace(/^.*\./, ''))
    const { fault, delayMs } = dynamoDb
    if (fault === 'hangs') return
    if (fault === 'is down') return void request.socket.destroy()
    if (fault !== undefined) return reject(response, fault.exception)
    if (delayMs === 0) tables.emit('request', request, response)
    else setTimeout(() => tables.emit('request', request, response), delayMs)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const dynamoDb = new DynamoDbServer(`http://127.0.0.1:${port}`)
  t.teardown(() => {
    dynamoDb.close()
    server.closeAllConnections()
    server.close()
    tables.close()
  })
  await createTable(dynamoDb.createClient())
  dynamoDb.operations.length = 0
  return dynamoDb
}

/** The table of the templates in docs/token-stores.md, without its Time to Live: dynalite has none. */
async function createTable(client: DynamoDB): Promise<void> {
  await client.createTable({
    TableName: TABLE,
    AttributeDefinitions: [{ AttributeName: 'id', AttributeType: 'S' }],
    KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }],
    BillingMode: 'PAY_PER_REQUEST',
  })
  for (;;) {
    const { Table } = await client.describeTable({ TableName: TABLE })
    if (Table?.TableStatus === 'ACTIVE') return
  }
}

function reject(response: ServerResponse, exception: string): void {
  response.writeHead(400, { 'content-type': 'application/x-amz-json-1.0' })
  const type = `com.amazonaws.dynamodb.v20120810#${exception}`
  response.end(JSON.stringify({ __type: type, message: 'The text of the exception' }))
}
