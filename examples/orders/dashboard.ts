/** The usage dashboard on loopback: what the pool issued and the API was asked, behind a password. */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import { createUsage, type Usage, type UsageSource } from 'cognito-m2m/usage'
import { type Authorize, usageDashboard } from 'cognito-m2m/usage/dashboard'
import Fastify, { type FastifyInstance } from 'fastify'
import { createSampleStore, SAMPLE_CLIENTS } from './sample-usage.js'

/** Example prices: yours are on Cognito's price list of the day. */
const PRICE = { currency: 'USD', tiers: [{ upTo: 250_000, price: 2.25 }, { price: 1.5 }] }

/** Both sides are digests, of one length whatever was sent: the time taken tells nothing of the password. */
export function basicAuth(user: string, password: string): Authorize {
  if (password === '') throw new Error('basicAuth: expected a password, got an empty string')
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest()
  const known = digest(`Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`)
  return ({ headers }) => timingSafeEqual(digest(headers.authorization ?? ''), known)
}

export interface OrdersDashboard {
  /** Listens where it is told to; closing it writes and ends the counting. */
  readonly app: FastifyInstance
  /** For whatever else is to be counted, a token proxy for one. */
  readonly usage: Usage
  readonly user: string
  /** A new one each time. */
  readonly password: string
}

/**
 * @param sources What is counted: `app.cognito`, the local pool, a token proxy.
 * @param isDemo Adds 90 days of generated counts, names of their clients, and a budget.
 */
export async function createDashboard(
  sources: readonly UsageSource[],
  isDemo = false,
): Promise<OrdersDashboard> {
  const usage = createUsage({
    price: PRICE,
    ...(isDemo && { store: await createSampleStore(Math.floor(Date.now() / 1000)) }),
  })
  for (const source of sources) usage.attach(source)
  const [user, password] = ['ops', randomBytes(12).toString('base64url')]
  const app = Fastify()
  app.addHook('onClose', () => usage.close())
  await app.register(usageDashboard, {
    usage,
    ...(isDemo && { clients: SAMPLE_CLIENTS, budget: 400 }),
    authorize: basicAuth(user, password),
    challenge: 'Basic realm="usage", charset="UTF-8"',
  })
  return { app, usage, user, password }
}
