/**
 * Writes the pictures of the usage dashboard in docs/images, from the generated data of the example. Needs Chromium on
 * the PATH: `npm run docs:images`. The time is fixed, so only a change of the page changes them.
 */
import { createUsage } from 'cognito-m2m/usage'
import { usageDashboard } from 'cognito-m2m/usage/dashboard'
import Fastify from 'fastify'
import puppeteer from 'puppeteer-core'
import { createSampleStore, SAMPLE_CLIENTS } from '../.examples/orders/sample-usage.js'

const AT = Date.UTC(2026, 10, 21, 14, 5, 9)
const PRICE = {
  currency: 'USD',
  asOf: '2026-11-01',
  tiers: [{ upTo: 250_000, price: 2.25 }, { price: 1.5 }],
}

const usage = createUsage({
  price: PRICE,
  store: await createSampleStore(AT / 1000),
  now: () => AT,
})
const app = Fastify()
await app.register(usageDashboard, {
  usage,
  clients: SAMPLE_CLIENTS,
  budget: 400,
  authorize: () => true,
})
const address = await app.listen({ host: '127.0.0.1', port: 0 })
const browser = await puppeteer.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  // Chromium refuses its sandbox to root; the page is this package's.
  args: ['--lang=en-US', ...(process.getuid?.() === 0 ? ['--no-sandbox'] : [])],
})
try {
  for (const scheme of ['light', 'dark']) {
    const page = await browser.newPage()
    await page.setViewport({ width: 1280, height: 1268 })
    await page.emulateTimezone('UTC')
    await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: scheme }])
    await page.goto(address, { waitUntil: 'networkidle0' })
    await page.screenshot({ path: `docs/images/usage-dashboard-${scheme}.png` })
  }
} finally {
  await browser.close()
  await app.close()
  await usage.close()
}
