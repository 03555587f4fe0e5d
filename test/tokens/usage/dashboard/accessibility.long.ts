/** Accessibility of the page: keyboard, dark mode, small screens, and 500 clients. */
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import type { Page } from 'puppeteer-core'
import t from 'tap'
import { launchChromium, withoutChromium } from '../../../support/chromium.ts'
import { COMPANY, type SeededClient, seededUsage } from '../../../support/dashboard-data.ts'
import {
  checkClean,
  open,
  rows,
  serve,
  settled,
  text,
  texts,
} from '../../../support/dashboard-page.ts'

const AXE = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

/** Contrast (WCAG 2.2, 1.4.3) of every text with what is painted behind it; and of the swatches (1.4.11). */
const CONTRASTS = `(() => {
  const parse = (color) => color.match(/[\\d.]+/g).map(Number)
  const luminance = (color) => {
    const [r, g, b] = parse(color).map((it) => it / 255).map((it) => it <= 0.04045 ? it / 12.92 : ((it + 0.055) / 1.055) ** 2.4)
    return 0.2126 * r + 0.7152 * g + 0.0722 * b
  }
  const behind = (element) => {
    for (let it = element; it !== null; it = it.parentElement) {
      const { backgroundColor } = getComputedStyle(it)
      if ((parse(backgroundColor)[3] ?? 1) === 1) return backgroundColor
    }
    return 'rgb(255, 255, 255)'
  }
  const contrast = (one, other) => {
    const [light, dark] = [luminance(one), luminance(other)].sort((a, b) => b - a)
    return (light + 0.05) / (dark + 0.05)
  }
  const found = []
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement
    if (!walker.currentNode.data.trim() || !element.checkVisibility()) continue
    if (['SCRIPT', 'NOSCRIPT', 'LEGEND'].includes(element.tagName)) continue
    found.push({ what: walker.currentNode.data, ratio: contrast(getComputedStyle(element).color, behind(element)), least: 4.5 })
  }
  for (const swatch of document.querySelectorAll('.swatch:not(.budget)')) {
    found.push({ what: swatch.className, ratio: contrast(getComputedStyle(swatch).backgroundColor, behind(swatch.parentElement)), least: 3 })
  }
  return found
})()`

/** What has the focus, and whether that is to be seen. */
const FOCUS = `(() => {
  const it = document.activeElement
  const marked = it.matches('input[type="radio"]') ? it.nextElementSibling : it
  const { outlineStyle, outlineWidth } = getComputedStyle(marked)
  const [name] = (it.id || it.value || it.ariaLabel || it.innerText).split('\\n')
  return [name, outlineStyle !== 'none' && parseFloat(outlineWidth) >= 2]
})()`

async function tabTo(page: Page, wanted: string): Promise<void> {
  for (let presses = 0; presses < 60; presses += 1) {
    const [name] = (await page.evaluate(FOCUS)) as [string, boolean]
    if (name === wanted) return
    await page.keyboard.press('Tab')
  }
  throw new Error(`${wanted} cannot be reached by Tab`)
}

t.test('the dashboard', { skip: withoutChromium }, async (t) => {
  const browser = await launchChromium(t)
  const served = await serve(t, { usage: await seededUsage(COMPANY) })

  t.test('focus follows the reading order, and is visible', async (t) => {
    const { page } = await open(t, browser, served)
    const seen: [string, boolean][] = []
    for (let presses = 0; presses < 29; presses += 1) {
      await page.keyboard.press('Tab')
      seen.push((await page.evaluate(FOCUS)) as [string, boolean])
    }
    t.strictSame(
      seen.map(([name]) => name),
      [
        ...['automatic', 'refresh', 'Download CSV', 'show-anomalies', 'show-unused'],
        ...['issued', '30d', 'Chart as a table', 'Cost as a table', 'reporting'],
        ...['warehouse-sync', 'billing-batch', 'web-shop', 'checkout-api'],
        ...['User pools', 'Regions', 'search', 'all', 'Clients'],
        ...['Client', 'This month', 'Forecast', 'Last used', 'Issued', 'From cache', 'Cached'],
        ...['Tokens refused', 'API accepted', 'API refused'],
      ],
    )
    t.ok(
      seen.every(([, visible]) => visible),
      'each is marked',
    )
  })

  t.test('all functions work by keyboard', async (t) => {
    const visited = await open(t, browser, served)
    const { page } = visited
    await tabTo(page, '30d')
    await page.keyboard.press('ArrowRight')
    await settled(page)
    t.match(await text(page, '#legend-head'), /^last 90 days\n/)
    await tabTo(page, 'Chart as a table')
    await page.keyboard.press('Enter')
    t.equal((await rows(page, '#chart-table')).length, 90)
    t.equal(await text(page, '#chart-table caption'), 'Tokens per day, latest first')
    await tabTo(page, 'Client')
    await page.keyboard.press('Enter')
    const order = await texts(page, '#client-table .name-button')
    t.strictSame(
      order,
      [...order].sort((a, b) => a.localeCompare(b)),
    )
    t.match(await page.evaluate(FOCUS), ['Client', true], 'the focus stays')
    t.strictSame(await texts(page, 'th[aria-sort="ascending"]'), ['Client\n▲'])
    await page.keyboard.press('Space')
    t.strictSame(await texts(page, '#client-table .name-button'), order.reverse())
    await tabTo(page, 'web-shop')
    await page.keyboard.press('Enter')
    await settled(page)
    t.match(
      await page.evaluate(FOCUS),
      ['chart-title', true],
      'the focus goes where something changed',
    )
    await tabTo(page, 'all-clients')
    await page.keyboard.press('Enter')
    await settled(page)
    t.equal((await texts(page, '#layers li')).length, 8)
    await tabTo(page, 'show-unused')
    await page.keyboard.press('Enter')
    t.match(await page.evaluate(FOCUS), ['unused', true])
    t.equal((await rows(page, '#client-table')).length, 2)
    checkClean(t, served, visited)
  })

  t.test('tables have captions and scoped headers', async (t) => {
    const { page } = await open(t, browser, served)
    const bare = `[...document.querySelectorAll('table')].filter((it) => it.caption === null).length`
    t.equal(await page.evaluate(bare), 0)
    t.equal(await page.evaluate(`document.querySelectorAll('th:not([scope])').length`), 0)
    t.equal(await page.evaluate(`document.querySelectorAll('h1').length`), 1)
    const named = `[...document.querySelectorAll('button, a, input, [role="img"], [tabindex="0"]')].filter((it) => !(it.innerText || it.ariaLabel || it.labels?.[0]?.innerText || !it.checkVisibility())).length`
    t.equal(await page.evaluate(named), 0, 'everything has a name')
  })

  t.test('light and dark mode differ, and both have enough contrast', async (t) => {
    const grounds: unknown[] = []
    for (const colorScheme of ['light', 'dark'] as const) {
      const { page } = await open(t, browser, served, { colorScheme })
      const found = (await page.evaluate(CONTRASTS)) as {
        what: string
        ratio: number
        least: number
      }[]
      t.ok(found.length > 100, `${found.length} texts`)
      t.strictSame(
        found.filter(({ ratio, least }) => !(ratio >= least)),
        [],
        colorScheme,
      )
      grounds.push(
        await page.evaluate(
          '[getComputedStyle(document.body).backgroundColor, document.querySelector("canvas").toDataURL()]',
        ),
      )
    }
    const [[light, lightChart], [dark, darkChart]] = grounds as [string[], string[]]
    t.not(light, dark)
    t.not(lightChart, darkChart)
  })

  t.test('every color of a chart has enough contrast with its background', async (t) => {
    for (const colorScheme of ['light', 'dark'] as const) {
      const { page } = await open(t, browser, served, { colorScheme })
      const names = [...Array(12).keys()].map((index) => `layer-${index + 1}`)
      await page.evaluate(`document.querySelector('#layers').replaceChildren(...${JSON.stringify([...names, 'layer-rest'])}.map((name) => {
        const item = document.createElement('li')
        item.append(Object.assign(document.createElement('i'), { className: 'swatch ' + name }))
        return item
      }))`)
      const found = (await page.evaluate(CONTRASTS)) as { ratio: number; least: number }[]
      const swatches = found.filter(({ least }) => least === 3)
      t.equal(swatches.length, 13 + 3)
      t.strictSame(
        swatches.filter(({ ratio, least }) => !(ratio >= least)),
        [],
      )
    }
  })

  t.test('axe-core reports no problems', async (t) => {
    const usage = await seededUsage(COMPANY)
    const clients = [
      { clientId: 'reporting', name: 'Reports', team: 'data', tags: { env: 'prod' } },
    ]
    const pages = [
      await serve(t, { usage, clients, budget: 100 }),
      await serve(t, { usage: await seededUsage([]) }),
    ]
    for (const [index, shown] of pages.entries()) {
      for (const colorScheme of ['light', 'dark'] as const) {
        for (const width of [390, 768, 1280]) {
          const { page } = await open(t, browser, shown, { colorScheme, width })
          await page.evaluate(
            `for (const it of document.querySelectorAll('details')) it.open = true`,
          )
          await page.evaluate(AXE)
          const problems = await page.evaluate(`axe.run().then(({ violations }) =>
            violations.map(({ id, nodes }) => [id, ...nodes.map(({ html }) => html)]))`)
          t.strictSame(problems, [], `page ${index}, ${colorScheme}, ${width}`)
        }
      }
    }
  })

  t.test('a chart changes its colors with the page', async (t) => {
    const { page } = await open(t, browser, served)
    const picture = 'document.querySelector("canvas").toDataURL()'
    const before = await page.evaluate(picture)
    await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: 'dark' }])
    await page.waitForFunction(`${picture} !== ${JSON.stringify(before)}`)
    const { page: dark } = await open(t, browser, served, { colorScheme: 'dark' })
    await page.waitForFunction(`${picture} === ${JSON.stringify(await dark.evaluate(picture))}`)
  })

  t.test('no element is wider than the screen, and no element moves', async (t) => {
    for (const width of [320, 390, 768, 1024, 1280, 1920]) {
      const { page } = await open(t, browser, served, { width })
      t.ok(await page.evaluate('document.documentElement.scrollWidth <= innerWidth'), `${width}`)
      const shift = await page.evaluate(`new Promise((resolve) => {
        let sum = 0
        new PerformanceObserver((list) => { for (const it of list.getEntries()) sum += it.value }).observe({ type: 'layout-shift', buffered: true })
        requestAnimationFrame(() => setTimeout(() => resolve(sum), 50))
      })`)
      // Half of what counts as good: a busy machine draws in more steps.
      t.ok(Number(shift) < 0.05, `${width}: moved by ${shift}`)
      await page.setViewport({ width: 320, height: 700 })
      await page.waitForFunction('document.querySelector(".uplot").clientWidth <= 320')
      t.ok(
        await page.evaluate('document.documentElement.scrollWidth <= innerWidth'),
        `${width} → 320`,
      )
    }
  })

  t.test('500 clients are shown', async (t) => {
    const many = Array.from(
      { length: 500 },
      (_, index): SeededClient => ({
        clientId: `client-${index}`,
        age: 4,
        perHour: 20 + (index % 50),
      }),
    )
    const busy = await serve(t, { usage: await seededUsage(many) })
    const visited = await open(t, browser, busy)
    const { page } = visited
    t.equal((await rows(page, '#client-table')).length, 100)
    t.equal(await text(page, '#shown'), '100 of 501 rows')
    await page.evaluate(`(() => {
      document.querySelector('#more').click()
      document.querySelector('thead button').click()
      document.body.offsetHeight
    })()`)
    t.equal((await rows(page, '#client-table')).length, 501)
    await page.type('#search', 'client-49')
    t.equal(await text(page, '#shown'), '11 rows')
    checkClean(t, busy, visited)
  })
})
