/** The Fastify plugin `usageDashboard`: page files, data and access. */

import type { FastifyInstance, FastifyPluginAsync, FastifyReply } from 'fastify'
import {
  describeValue,
  type Members,
  OptionError,
  readMembers,
  readNumber,
} from '../../../core/options/validate.ts'
import { createClientLookup } from '../history/clients.ts'
import type { ClientInfo, FindClient } from '../history/types.ts'
import type { Usage } from '../types.ts'
import { type Authorize, createAccessHook, sendError } from './access.ts'
import { createChart, readChartQuery } from './chart.ts'
import { type PageFile, readPageFiles } from './files.ts'
import { createSummary, type SummarySettings } from './summary.ts'

/** Options of {@link usageDashboard}. The `prefix` of Fastify's `register` sets its path. */
export interface UsageDashboardOptions {
  /** The result of `createUsage()`. The dashboard does not close it. */
  readonly usage: Usage
  /**
   * Decides who may see the dashboard. It runs for every request, including scripts. Only `true` grants access. If
   * the function throws, rejects or takes over 3 s, the response is 503. Required: there is no default.
   */
  readonly authorize: Authorize
  /**
   * `WWW-Authenticate` of a denied request. For example, browsers prompt for a password after
   * `Basic realm="usage"`. The status is then 401 instead of 403.
   *
   * @defaultValue No challenge, status 403
   */
  readonly challenge?: string
  /**
   * Cost that a month may have, in the currency of the price. The page shows it as a line and marks a forecast above it.
   *
   * @defaultValue No budget
   */
  readonly budget?: number
  /**
   * Names, teams and tags of app clients, as in `usage.history()`: a list, or a function.
   *
   * @defaultValue `[]`
   */
  readonly clients?: readonly ClientInfo[] | FindClient
}

/** Includes the options of Fastify's `register`, which Fastify passes to the plugin. */
const OPTION_NAMES = [
  ...['usage', 'authorize', 'challenge', 'budget', 'clients'],
  ...['prefix', 'logLevel', 'logSerializers'],
]
const USAGE_METHODS = ['report', 'series', 'history', 'forecast', 'csv', 'status']
/** The smallest budget: a part of it is shown. */
const MIN_BUDGET = 0.01
const MAX_BUDGET = 1e15

function readUsage({ usage }: Members): Usage {
  const candidate = Object(usage) as Record<string, unknown>
  if (USAGE_METHODS.every((name) => typeof candidate[name] === 'function')) return usage as Usage
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

function readSettings(members: Members): SummarySettings {
  return {
    budget:
      'budget' in members
        ? readNumber(members, 'budget', '', { defaultValue: 0, min: MIN_BUDGET, max: MAX_BUDGET })
        : null,
    lookUp: createClientLookup(members['clients']),
  }
}

/** Browsers cache the file and revalidate it by ETag, because file names contain no version. */
function serveFile(app: FastifyInstance, { name, type, body, etag }: PageFile): void {
  app.get(name === 'index.html' ? '/' : `/${name}`, async (request, reply) => {
    const [path = ''] = request.url.split('?')
    // Relative URLs in the page need a trailing slash.
    if (name === 'index.html' && !path.endsWith('/')) {
      return reply.redirect(`./${path.slice(path.lastIndexOf('/') + 1)}/`)
    }
    reply.headers({ 'cache-control': 'private, no-cache', etag })
    if (request.headers['if-none-match'] === etag) return reply.code(304).send()
    return reply.type(type).send(body)
  })
}

/** Sends 503 if the usage store cannot be read. */
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

function serveData(app: FastifyInstance, usage: Usage, settings: SummarySettings): void {
  app.get('/data.json', (_request, reply) =>
    readOrSendError(reply, () => createSummary(usage, settings)),
  )
  app.get<{ Querystring: Record<string, unknown> }>('/chart.json', async (request, reply) => {
    const query = readChartQuery(request.query)
    if (query === undefined) return sendError(reply, 'ERR_REQUEST_INVALID')
    return readOrSendError(reply, () => createChart(usage, query, settings.lookUp))
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
 * Fastify plugin that serves a dashboard. It shows tokens and cost per app client over time, and the cost of the month
 * with a forecast and a budget. It also shows anomalies, possible savings, and unused app clients.
 *
 * It serves `GET` below its prefix: the page at `/`, `data.json`, `chart.json`, `usage.csv` and the page's
 * files. With `cognitoAuth` in the same app, register it in a separate context with `authDefault`, because browsers
 * send no token.
 *
 * @param app The Fastify instance.
 * @param options `usage` and `authorize` are required.
 * @throws {OptionError} `ERR_OPTION_INVALID` at registration, also if the optional peer uPlot is not installed.
 * @example
 * ```ts
 * await app.register(usageDashboard, { prefix: '/usage', usage, authorize: isEngineer })
 * ```
 */
export const usageDashboard: FastifyPluginAsync<UsageDashboardOptions> = async (app, options) => {
  const members = readMembers(options, OPTION_NAMES, '')
  const usage = readUsage(members)
  const settings = readSettings(members)
  app.addHook('onRequest', createAccessHook(readAuthorize(members), readChallenge(members)))
  for (const file of await readPageFiles()) serveFile(app, file)
  serveData(app, usage, settings)
}
