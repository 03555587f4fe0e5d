/** What the usage dashboard takes: compiled, never run. */
import { fastify } from 'fastify'
import byDefault, {
  type Authorize,
  type UsageDashboardOptions,
  usageDashboard,
} from '../../src/tokens/usage/dashboard/index.ts'
import { createUsage } from '../../src/tokens/usage/index.ts'

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
function same<A, B>(_equal: Same<A, B>): void {}

const usage = createUsage({ price: { currency: 'USD', tiers: [{ price: 2.25 }] } })
const authorize: Authorize = ({ ip }) => ip === '127.0.0.1'
const app = fastify()

same<typeof byDefault, typeof usageDashboard>(true)
same<UsageDashboardOptions['challenge'], string | undefined>(true)
await app.register(usageDashboard, { prefix: '/usage', usage, authorize })
await app.register(usageDashboard, { usage, authorize: async () => true, challenge: 'Basic' })
await app.register(usageDashboard, { usage, authorize, budget: 50, clients: [{ clientId: 'a' }] })
await app.register(usageDashboard, { usage, authorize, clients: () => ({ name: 'Orders' }) })

// @ts-expect-error who may see it has to be said
await app.register(usageDashboard, { usage })
// @ts-expect-error only true lets in, so nothing else is answered
await app.register(usageDashboard, { usage, authorize: () => 'yes' })
// @ts-expect-error counts are what it shows
await app.register(usageDashboard, { authorize })
