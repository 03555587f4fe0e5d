/**
 * `cognito-m2m/usage/dashboard`: a dashboard page with the usage of app clients, as a Fastify 5 plugin.
 *
 * @module
 */
export type { Authorize } from './access.ts'
export type { UsageDashboardOptions } from './usage-dashboard.ts'
export { usageDashboard, usageDashboard as default } from './usage-dashboard.ts'
