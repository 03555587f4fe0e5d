/** Opens the dashboard in Chromium, over a real socket, and reads what is to be seen there. */
import Fastify, { type FastifyInstance } from 'fastify'
import type { Browser, Page } from 'puppeteer-core'
import type { Test } from 'tap'
import {
  type UsageDashboardOptions,
  usageDashboard,
} from '../../src/tokens/usage/dashboard/index.ts'
import { type View, type Visit, visit } from './chromium.ts'

export interface Served {
  readonly app: FastifyInstance
  readonly origin: string
}

/** On a separate port, below `/ops/usage`. */
export async function serve(
  t: Test,
  options: Partial<UsageDashboardOptions> & Pick<UsageDashboardOptions, 'usage'>,
): Promise<Served> {
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(usageDashboard, { prefix: '/ops/usage', authorize: () => true, ...options })
  return { app, origin: await app.listen({ port: 0, host: '127.0.0.1' }) }
}

/** Waits until everything that was requested is shown. */
export async function settled(page: Page): Promise<void> {
  await page.waitForSelector('main[aria-busy="false"]')
  await page.waitForNetworkIdle({ idleTime: 50 })
}

export async function open(
  t: Test,
  browser: Browser,
  { origin }: Served,
  view: View = {},
): Promise<Visit> {
  const opened = await visit(t, browser, `${origin}/ops/usage`, view)
  await settled(opened.page)
  return opened
}

/** The text of everything a selector finds. */
export async function texts(page: Page, selector: string): Promise<string[]> {
  const found = `[...document.querySelectorAll(${JSON.stringify(selector)})]`
  return (await page.evaluate(`${found}.map((it) => it.innerText.trim())`)) as string[]
}

export async function text(page: Page, selector: string): Promise<string> {
  const [first = `nothing at ${selector}`] = await texts(page, selector)
  return first
}

/** Rows of a table, cell by cell. */
export async function rows(page: Page, selector: string): Promise<string[][]> {
  const found = `[...document.querySelectorAll(${JSON.stringify(`${selector} tbody tr`)})]`
  const cells = '[...row.children].map((it) => it.innerText.trim())'
  return (await page.evaluate(`${found}.map((row) => ${cells})`)) as string[][]
}

/** Nothing failed, nothing was blocked, and no request went to another host. */
export function checkClean(t: Test, { origin }: Served, visited: Visit): void {
  t.strictSame(visited.errors, [], 'no error')
  t.strictSame(visited.violations, [], 'no violation of the policy')
  t.strictSame(
    visited.requests.filter((it) => !it.startsWith(`${origin}/ops/usage`)),
    [],
    'no request to anybody else',
  )
}
