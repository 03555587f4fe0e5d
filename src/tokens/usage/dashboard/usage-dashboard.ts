/** The Fastify plugin: the page, what it is told, and who may see it. */

import type { FastifyInstance, FastifyPluginAsync, FastifyReply } from 'fastify'
import {
  describeValue,
  type Members,
  OptionError,
  readMembers,
} from '../../../core/options/validate.ts'
import type { Usage } from '../types.ts'
import { type Authorize, createAccessHook, sendError } from './access.ts'
import { createChart, createSummary, readChartQuery } from './chart.ts'
import { type PageFile, readPageFiles } from './files.ts'

/** Options of {@link usageDashboard}, beside Fastify's own `prefix`. */
export interface UsageDashboardOptions {
  /** The counts to show, with their prices: `createUsage(…)`. The dashboard does not close it. */
  readonly usage: Usage
  /**
   * Says who may see the dashboard, before anything is answered, its scripts included. Only `true` lets
   * in; one that throws, rejects or takes over 3 s is answered with 503. There is no default.
   */
  readonly authorize: Authorize
  /**
   * `WWW-Authenticate` of a refusal, such as `Basic realm="usage"`, on which browsers ask for a password:
   * the refusal is 401 then. Default: none, and 403.
   */
  readonly challenge?: string
}

/** Fastify hands its own options on. */
const OPTION_NAMES = ['usage', 'authorize', 'challenge', 'prefix', 'logLevel', 'logSerializers']
const USAGE_METHODS = ['report', 'series', 'cost', 'csv', 'status']

function readUsage({ usage }: Members): Usage {
  const given = Object(usage) as Record<string, unknown>
  if (USAGE_METHODS.every((it) => typeof given[it] === 'function')) return usage as Usage
  throw new OptionError(
    'usage',
    `expected a Usage, got ${describeValue(usage)}. Pass the result of createUsage().`,
  )
}

function readAuthorize({ authorize }: Members): Authorize {
  if (typeof authorize === 'function') return authorize as Authorize
  throw new OptionError(
    'authorize',
    `expected a function, got ${describeValue(authorize)}. Pass one that decides who may see the dashboard.`,
  )
}

function readChallenge({ challenge }: Members): string | undefined {
  if (challenge === undefined) return undefined
  if (typeof challenge === 'string' && /^[A-Za-z][\x20-\x7e]*$/.test(challenge)) return challenge
  throw new OptionError(
    'challenge',
    `expected a challenge in printable ASCII, got ${describeValue(challenge)}. Pass for example Basic realm="usage".`,
  )
}

/** Kept by the browser and asked about each time: names stay as they are when a version changes. */
function serveFile(app: FastifyInstance, { name, type, body, etag }: PageFile): void {
  app.get(name === 'index.html' ? '/' : `/${name}`, async (request, reply) => {
    const [path = ''] = request.url.split('?')
    // What the page names lies beside it, so it has to be asked for as a folder.
    if (name === 'index.html' && !path.endsWith('/')) {
      return reply.redirect(`./${path.slice(path.lastIndexOf('/') + 1)}/`)
    }
    reply.headers({ 'cache-control': 'private, no-cache', etag })
    if (request.headers['if-none-match'] === etag) return reply.code(304).send()
    return reply.type(type).send(body)
  })
}

/** A store that cannot be read is an outage of its own, and told as one. */
async function readOrSendError<T>(
  reply: FastifyReply,
  read: () => Promise<T>,
): Promise<T | FastifyReply> {
  try {
    return await read()
  } catch (error) {
    reply.log.error({ err: error }, 'cognito-m2m: the usage store cannot be read')
    return sendError(reply, 'ERR_USAGE_UNAVAILABLE')
  }
}

function serveData(app: FastifyInstance, usage: Usage): void {
  app.get('/data.json', (_request, reply) => readOrSendError(reply, () => createSummary(usage)))
  app.get<{ Querystring: Record<string, unknown> }>('/chart.json', async (request, reply) => {
    const query = readChartQuery(request.query)
    if (query === undefined) return sendError(reply, 'ERR_REQUEST_INVALID')
    return readOrSendError(reply, async () => createChart(await usage.series(query.unit), query))
  })
  app.get('/usage.csv', (_request, reply) =>
    readOrSendError(reply, async () => {
      const table = await usage.csv({ wide: true })
      reply.header('content-disposition', 'attachment; filename="usage.csv"')
      return reply.type('text/csv; charset=utf-8').send(table)
    }),
  )
}

/**
 * Serves a page on which an engineer sees tokens per client over time, the share served from the cache, what
 * a month costs and what caching saves, and which clients nobody uses.
 *
 * ```ts
 * await app.register(usageDashboard, { prefix: '/usage', usage, authorize: isEngineer })
 * ```
 *
 * It answers `GET` below its prefix: the page at `/`, `data.json`, `chart.json`, `usage.csv` and the page's
 * files. Beside `cognitoAuth` it needs a context of its own with `authDefault`: a browser has no token.
 *
 * @throws {OptionError} `ERR_OPTION_INVALID` at registration, also where the optional peer uPlot is missing.
 */
export const usageDashboard: FastifyPluginAsync<UsageDashboardOptions> = async (app, given) => {
  const members = readMembers(given, OPTION_NAMES, '')
  const usage = readUsage(members)
  app.addHook('onRequest', createAccessHook(readAuthorize(members), readChallenge(members)))
  for (const file of await readPageFiles()) serveFile(app, file)
  serveData(app, usage)
}
