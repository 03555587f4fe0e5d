/**
 * Run as a separate process: opens each kind of API over several pools and uses it once. It closes only
 * the APIs that its argument names, and prints the resources that keep Node alive. The parent checks that
 * it ends: then each API alone would have let it end.
 *
 * `node idle-process.ts <situations as JSON>`
 */
import { setImmediate } from 'node:timers/promises'
import express from 'express'
import Fastify from 'fastify'
import { cognitoAuth as expressAuth } from '../../../src/adapters/express/index.ts'
import { cognitoAuth } from '../../../src/adapters/fastify/index.ts'
import { createLambdaAuthorizer } from '../../../src/adapters/lambda/index.ts'
import { AuthError, type CognitoAuthOptions, createResourceServer } from '../../../src/index.ts'
import { requestEvent } from '../../support/lambda-events.ts'

/** One pool, and what becomes of the APIs over it. */
export interface Situation {
  readonly name: string
  readonly options: CognitoAuthOptions
  readonly token: string
  readonly close: boolean
}

interface Api {
  readonly status: number
  close(): unknown
}

type Use = (options: CognitoAuthOptions, authorization: string) => Promise<Api>

const statusOf = (asked: Promise<unknown>): Promise<number> =>
  asked.then(
    () => 200,
    (error) => (error instanceof AuthError ? error.statusCode : 500),
  )

const uses: Readonly<Record<string, Use>> = {
  async 'the bare core'(options, authorization) {
    const server = createResourceServer(options)
    const guard = server.guard()
    const status = await statusOf((async () => guard(authorization))())
    return { status, close: () => server.close() }
  },
  async 'a Fastify app that only injects'(options, authorization) {
    const app = Fastify()
    await app.register(cognitoAuth, options)
    app.get('/r', async () => 'reached')
    const { statusCode } = await app.inject({ url: '/r', headers: { authorization } })
    return { status: statusCode, close: () => app.close() }
  },
  // What it does by being made is all it does.
  async 'an Express app that never listens'(options) {
    const auth = expressAuth(options)
    express().get('/r', auth(), (_request, response) => void response.send('reached'))
    await auth.server.ready()
    return { status: auth.server.status().ready ? 200 : 503, close: () => auth.server.close() }
  },
  async 'a Lambda authorizer'(options, authorization) {
    const authorizer = createLambdaAuthorizer({
      ...options,
      routes: { 'GET /r': {} },
      resultTtl: 0,
    })
    const status = await statusOf(authorizer(requestEvent({ authorization })))
    return { status, close: () => authorizer.server.close() }
  },
}

const answers: Record<string, object> = {}
for (const { name, options, token, close } of JSON.parse(process.argv[2] ?? '[]') as Situation[]) {
  const opened = Object.entries(uses).map(async ([kind, use]) => {
    const api = await use(options, `Bearer ${token}`)
    if (close) await api.close()
    return [kind, api.status]
  })
  answers[name] = Object.fromEntries(await Promise.all(opened))
}
// A connection kept for the next fetch is released some turns after its response.
for (let turn = 0; turn < 20; turn += 1) await setImmediate()
// Handles of this package would be timers and sockets; the pipe to the parent is not.
const left = process.getActiveResourcesInfo().filter((it) => /Timeout|TCP/.test(it))
process.stdout.write(`${JSON.stringify({ answers, left })}\n`)
