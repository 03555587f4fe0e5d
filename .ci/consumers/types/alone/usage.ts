/** Usage and its report. */
import { createUsage, type UsageReport } from 'cognito-m2m/usage'

const usage = createUsage({ price: { currency: 'USD', tiers: [{ price: 2.25 }] } })
export const report: Promise<UsageReport> = usage.report()
// @ts-expect-error price is required
createUsage({})
