/**
 * `cognito-m2m/usage/dashboard`: the usage of app clients as a page, for Fastify 5.
 *
 * @module
 */
export type { Authorize } from './access.ts'
export type { UsageDashboardOptions } from './usage-dashboard.ts'
export { usageDashboard, usageDashboard as default } from './usage-dashboard.ts'
