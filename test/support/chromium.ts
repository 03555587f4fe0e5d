/**
 * Opens pages in Debian's Chromium, headless, and writes down what must not happen there: errors, broken
 * content security policies, requests that leave the page's origin.
 */
import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'
import puppeteer, { type Browser, type Page } from 'puppeteer-core'
import type { Test } from 'tap'

/** How a page is looked at. */
export interface View {
  readonly width?: number
  readonly height?: number
  readonly colorScheme?: 'light' | 'dark'
  /** IANA name; default `UTC`. */
  readonly timezone?: string
}

/** A page and what happened in it since it was opened. */
export interface Visit {
  readonly page: Page
  /** Uncaught errors, and what the console calls an error: failed loads among them. */
  readonly errors: readonly string[]
  /** Violations of the content security policy: directive and what it blocked. */
  readonly violations: readonly string[]
  /** The address of every request, in order. */
  readonly requests: readonly string[]
}

const NAMES = ['chromium', 'chromium-browser', 'google-chrome']

function onPath(): string | undefined {
  const folders = (process.env['PATH'] ?? '').split(delimiter)
  return folders
    .flatMap((folder) => NAMES.map((name) => join(folder, name)))
    .find((file) => {
      try {
        accessSync(file, constants.X_OK)
        return true
      } catch {
        return false
      }
    })
}

const executablePath = onPath()

/** Why tests in a browser cannot run here, for tap's `skip`. The gate does not let it pass. */
export const withoutChromium: string | false =
  executablePath === undefined && 'NO CHROMIUM ON THE PATH: nothing is tested in a browser'

if (withoutChromium !== false && process.env['CI'] === 'true') throw new Error(withoutChromium)

/** Milliseconds; only what hangs takes as long, however busy the machine is. */
const PATIENCE = 300_000

/** One browser for a test file, ended with it. */
export async function launchChromium(t: Test): Promise<Browser> {
  const browser = await puppeteer.launch({
    executablePath: executablePath as string,
    timeout: PATIENCE,
    protocolTimeout: PATIENCE,
    // Chromium refuses its sandbox to root; no page of the tests comes from elsewhere.
    args: ['--lang=en-US', ...(process.getuid?.() === 0 ? ['--no-sandbox'] : [])],
  })
  t.teardown(() => browser.close())
  return browser
}

/** Opens an address in a separate profile, so that no two visits share a cache or credentials. */
export async function visit(
  t: Test,
  browser: Browser,
  address: string,
  view: View = {},
): Promise<Visit> {
  const context = await browser.createBrowserContext()
  t.teardown(() => context.close())
  const page = await context.newPage()
  page.setDefaultTimeout(PATIENCE)
  const { width = 1280, height = 900, colorScheme = 'light' } = view
  await page.setViewport({ width, height })
  await page.emulateTimezone(view.timezone ?? 'UTC')
  await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: colorScheme }])
  const watched = await watch(page)
  await page.goto(address, { waitUntil: 'load' })
  return { page, ...watched }
}

async function watch(page: Page): Promise<Omit<Visit, 'page'>> {
  const errors: string[] = []
  const violations: string[] = []
  const requests: string[] = []
  page.on('pageerror', (error) => errors.push(String(error)))
  page.on('console', (message) => {
    if (message.type() === 'error') errors.push(message.text())
  })
  page.on('request', (request) => requests.push(request.url()))
  const session = await page.createCDPSession()
  await session.send('Audits.enable')
  session.on('Audits.issueAdded', ({ issue }) => {
    const details = issue.details.contentSecurityPolicyIssueDetails
    if (details !== undefined) {
      violations.push(`${details.violatedDirective} ${details.blockedURL ?? 'inline'}`)
    }
  })
  return { errors, violations, requests }
}
