/** What the page does with a view: links, refresh, colors, cards, print, cost, anomalies and savings. */
import type { Page } from 'puppeteer-core'
import t from 'tap'
import { launchChromium, visit, withoutChromium } from '../../../support/chromium.ts'
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

const dollars = (value: number): string =>
  value.toLocaleString('en-US', { style: 'currency', currency: 'USD' })

/** The class of each swatch, by client. */
async function colors(page: Page): Promise<Map<string, string>> {
  const names = await texts(page, '#layers .name')
  const found = `[...document.querySelectorAll('#layers .swatch')].map((it) => it.className)`
  const classes = (await page.evaluate(found)) as string[]
  return new Map(names.map((name, index) => [name, classes[index] as string]))
}

/** What a reader sees of the view. */
async function look(page: Page): Promise<unknown> {
  return [
    await text(page, '#chart-title'),
    await text(page, '#legend-head'),
    await texts(page, '#client-table .name-button'),
    await texts(page, 'input:checked + span'),
    await page.evaluate(
      `[document.querySelector('#search').value, document.querySelector('#automatic').checked]`,
    ),
  ]
}

t.test('the view of the dashboard', { skip: withoutChromium }, async (t) => {
  const browser = await launchChromium(t)
  const usage = await seededUsage(COMPANY)
  const clients = [{ clientId: 'reporting', name: 'Nightly reports' }]
  const served = await serve(t, { usage, clients, budget: 250 })

  t.test('a link opens the same view', async (t) => {
    const { page } = await open(t, browser, served)
    t.equal(await page.evaluate('location.hash'), '')
    await page.click('input[name="range"][value="90d"]')
    await page.click('input[name="count"][value="cost"]')
    await page.click('input[name="which"][value="unused"]')
    await page.click('#automatic')
    await page.type('#search', 'a')
    await page.evaluate(`document.querySelectorAll('#client-table .sort')[3].click()`)
    await page.evaluate(`document.querySelector('#anomaly-list button').click()`)
    await settled(page)
    const hash = String(await page.evaluate('location.hash'))
    t.equal(
      hash,
      '#range=90d&count=cost&find=a&which=unused&sort=-used&refresh=off&pool=eu-west-1_Ab12Cd34E&client=reporting',
    )
    t.match(await text(page, '#chart-title'), 'Cost over time: Nightly reports')
    const linked = await visit(t, browser, `${served.origin}/ops/usage/${hash}`)
    await settled(linked.page)
    t.strictSame(await look(linked.page), await look(page))
    checkClean(t, served, linked)
    await page.click('#all-clients')
    await settled(page)
    t.notMatch(String(await page.evaluate('location.hash')), 'client')
  })

  t.test('a link to another view of the open page is followed', async (t) => {
    const { page } = await open(t, browser, served)
    await page.evaluate(`location.hash = '#range=24h&kind=unverified'`)
    await page.waitForFunction(
      `document.querySelector('#legend-head').innerText.startsWith('last 24')`,
    )
    await settled(page)
    t.equal(await text(page, '#chart-title'), 'Tokens over time: Not verified')
    t.strictSame(await texts(page, '#layers li'), [])
    await page.evaluate(`location.hash = ''`)
    await page.waitForFunction(
      `document.querySelector('#legend-head').innerText.startsWith('last 30')`,
    )
    t.equal(await text(page, '#chart-title'), 'Tokens per client over time')
  })

  t.test('an invalid link shows the default view, and text as text', async (t) => {
    const hostile = '<img src=x onerror=globalThis.hit=1>'
    const parameters = new URLSearchParams({
      range: '1y',
      count: hostile,
      which: 'toString',
      sort: '__proto__',
      refresh: 'no',
      find: hostile,
      pool: hostile,
      client: `${hostile}\u202e`,
    })
    const visited = await visit(t, browser, `${served.origin}/ops/usage/#${parameters}`)
    const { page } = visited
    await settled(page)
    t.equal(
      await text(page, '#chart-title'),
      `Tokens over time: <img src=x onerror=globalT…=1>⟨U+202E⟩`,
    )
    t.strictSame(await texts(page, 'input:checked + span'), ['Issued', '30 days', 'All'])
    t.equal(await text(page, '#shown'), '0 rows')
    t.strictSame(await page.evaluate('[globalThis.hit === undefined, document.images.length]'), [
      true,
      0,
    ])
    checkClean(t, served, visited)
    for (const hash of ['#kind=client', `#pool=a&client=${'b'.repeat(600)}`, '#pool=a', '#%']) {
      const other = await visit(t, browser, `${served.origin}/ops/usage/${hash}`)
      await settled(other.page)
      t.equal(await text(other.page, '#chart-title'), 'Tokens per client over time')
      checkClean(t, served, other)
    }
  })

  t.test('the page refreshes every minute, unless that is off or it is hidden', async (t) => {
    const { page, requests } = await visit(t, browser, 'about:blank')
    await page.evaluateOnNewDocument(`
      globalThis.passed = 0
      const clock = Date.now
      Date.now = () => clock() + globalThis.passed
      globalThis.setInterval = (callback) => { globalThis.check = callback }
    `)
    await page.goto(`${served.origin}/ops/usage/`)
    await settled(page)
    const count = () => requests.filter((it) => it.endsWith('/data.json')).length
    const pass = async (ms: number) => {
      await page.evaluate(`(() => { globalThis.passed += ${ms}; check() })()`)
      await settled(page)
      return count()
    }
    await page.focus('#client-table tbody tr:nth-child(2) button')
    t.equal(await pass(20_000), 1)
    t.equal(await pass(41_000), 2)
    t.equal(
      await page.evaluate('document.activeElement.innerText'),
      'billing-batch',
      'the focus stays',
    )
    t.equal(await pass(61_000), 3)
    await page.evaluate(
      `Object.defineProperty(document, 'hidden', { value: true, configurable: true })`,
    )
    t.equal(await pass(61_000), 3)
    await page.evaluate(
      `(() => { delete document.hidden; document.dispatchEvent(new Event('visibilitychange')) })()`,
    )
    await settled(page)
    t.equal(count(), 4, 'once it is shown')
    await page.click('#automatic')
    t.equal(await pass(61_000), 4)
    await page.click('#refresh')
    await settled(page)
    t.equal(count(), 5)
  })

  t.test('the color of a client does not depend on its rank', async (t) => {
    const ids = ['a', 'b', 'c', 'd', 'e', 'f', 'g']
    const rank = (order: readonly string[]): SeededClient[] =>
      order.map((clientId, index) => ({ clientId, age: 40, perHour: 100 * (index + 1) }))
    const [one, other] = [ids, [...ids].reverse()].map(async (order) => {
      const { page } = await open(
        t,
        browser,
        await serve(t, { usage: await seededUsage(rank(order)) }),
      )
      const before = await colors(page)
      await page.click('input[name="range"][value="24h"]')
      await settled(page)
      t.strictSame(await colors(page), before, 'nor on the range')
      await page.evaluate(
        `[...document.querySelectorAll('#client-table .name-button')].find((it) => it.innerText === 'c').click()`,
      )
      await settled(page)
      t.equal((await colors(page)).get('c'), before.get('c'), 'nor on the other clients')
      return before
    })
    const [first, second] = [await one, await other]
    t.strictSame([...(second ?? [])].sort(), [...(first ?? [])].sort())
    t.equal(new Set(first?.values()).size, ids.length, 'no two clients share a color')
    t.not([...(second?.keys() ?? [])].join(), [...(first?.keys() ?? [])].join())
  })

  t.test('with more clients than colors, the layers of a chart have different ones', async (t) => {
    const many = Array.from(
      { length: 40 },
      (_, index): SeededClient => ({ clientId: `c${index}`, age: 3, perHour: 100 + index }),
    )
    const { page } = await open(t, browser, await serve(t, { usage: await seededUsage(many) }))
    const shown = await colors(page)
    t.equal(shown.size, 8)
    t.equal(new Set(shown.values()).size, 8)
    t.equal(shown.get('33 other clients'), 'swatch layer-rest')
  })

  t.test('on a small screen rows are cards', async (t) => {
    const { page } = await open(t, browser, served, { width: 390 })
    const overflow = `[...document.querySelectorAll('.scroll:has(.cards)')].filter((it) => it.scrollWidth > it.clientWidth).length`
    t.equal(await page.evaluate(overflow), 0, 'nothing has to be scrolled sideways')
    const [card] = await rows(page, '#client-table')
    t.equal(card?.length, 10)
    t.strictSame(
      await page.evaluate(
        `[...document.querySelectorAll('#client-table tbody tr:first-child td')].map((it) => getComputedStyle(it, '::before').content)`,
      ),
      [
        'This month',
        'Forecast',
        'Last used',
        'Issued',
        'From cache',
        'Cached',
        'Tokens refused',
        'API accepted',
        'API refused',
      ].map((it) => `"${it}"`),
    )
    const roles = `[...document.querySelectorAll('.cards, .cards tr, .cards th, .cards td')].filter((it) => it.role === null).length`
    t.equal(await page.evaluate(roles), 0, 'it stays a table for a screen reader')
    await page.evaluate(`document.querySelectorAll('#client-table .sort')[0].click()`)
    const order = await texts(page, '#client-table .name-button')
    t.strictSame(
      order,
      [...order].sort((a, b) => a.localeCompare(b)),
    )
  })

  t.test('print shows all rows and tables, in the colors of light mode', async (t) => {
    const many = Array.from(
      { length: 120 },
      (_, index): SeededClient => ({ clientId: `client-${index}`, age: 4 }),
    )
    const busy = await serve(t, { usage: await seededUsage(many) })
    const { page } = await open(t, browser, busy, { colorScheme: 'dark' })
    t.equal((await rows(page, '#client-table')).length, 100)
    await page.click('summary')
    await page.emulateMediaType('print')
    await page.waitForFunction(`document.querySelectorAll('#client-table tbody tr').length === 121`)
    const isVisible = (selector: string) =>
      page.evaluate(
        `[...document.querySelectorAll('${selector}')].map((it) => it.checkVisibility())`,
      )
    t.strictSame(await isVisible('details table'), [true, true])
    t.strictSame(await isVisible('.actions, .choices, #more'), [false, false, false, false])
    t.equal(await page.evaluate('getComputedStyle(document.body).color'), 'rgb(22, 25, 31)')
    await page.setViewport({ width: 718, height: 1000 })
    t.ok(await page.evaluate('document.documentElement.scrollWidth <= innerWidth'), 'fits on A4')
    await page.emulateMediaType('screen')
    await page.waitForFunction(`document.querySelectorAll('#client-table tbody tr').length === 100`)
    t.strictSame(
      await page.evaluate(`[...document.querySelectorAll('details')].map((it) => it.open)`),
      [true, false],
      'a table that was open stays open',
    )
  })

  t.test('a printed document has all rows, and charts in the colors of light mode', async (t) => {
    const many = Array.from(
      { length: 120 },
      (_, index): SeededClient => ({ clientId: `client-${index}`, age: 4 }),
    )
    const busy = await serve(t, { usage: await seededUsage(many) })
    const { page } = await open(t, browser, busy, { colorScheme: 'dark' })
    const { page: light } = await open(t, browser, busy)
    const see = `[
      document.querySelectorAll('#client-table tbody tr').length,
      getComputedStyle(document.documentElement).getPropertyValue('--panel'),
      getComputedStyle(document.querySelector('#plot')).getPropertyValue('--layer-1'),
    ]`
    await page.evaluate(
      `addEventListener('beforeprint', () => { globalThis.printed = ${see}; queueMicrotask(() => { globalThis.picture = document.querySelector('canvas').toDataURL() }) })`,
    )
    const before = await page.evaluate(see)
    await page.pdf({ format: 'A4' })
    const [, panel, color] = (await light.evaluate(see)) as unknown[]
    t.strictSame(await page.evaluate('printed'), [121, panel, color])
    t.equal(
      await page.evaluate('picture'),
      await light.evaluate(`document.querySelector('canvas').toDataURL()`),
    )
    await page.waitForFunction(`document.querySelectorAll('#client-table tbody tr').length === 100`)
    t.strictSame(await page.evaluate(see), before)
  })

  t.test('cost over time has the last month, the forecast and the budget', async (t) => {
    const { page } = await open(t, browser, served)
    const [history, forecast] = [await usage.history(), await usage.forecast()]
    const [month, lastMonth, whole] = [
      history.periods.at(-1)?.cost ?? 0,
      history.periods.at(-2)?.cost ?? 0,
      forecast.forecast.cost ?? 0,
    ]
    t.strictSame(await texts(page, '#cost-layers li'), [
      `October\n${dollars(lastMonth)}`,
      `November so far\n${dollars(month)}`,
      `November forecast\n${dollars(whole)}`,
      'Budget\n$250.00',
    ])
    t.ok(whole > 250)
    t.equal(
      await page.evaluate(`document.querySelector('#forecast-tile').className`),
      'tile warning',
    )
    t.match(await text(page, '#forecast-note'), /^1\d\d(\.\d)?% of the budget of \$250\.00, /)
    t.match(
      await page.evaluate(`document.querySelector('#cost-plot').ariaLabel`),
      /^Bars: cost of the month so far, by day\. October: \$[\d.]+\. November: \$[\d.]+ so far, \$[\d.]+ at its end\. That is 1\d\d(\.\d)?% of the budget of \$250\.00\. /,
    )
    await page.click('#costs summary')
    const table = await rows(page, '#cost-table')
    t.equal(table.length, 52)
    t.strictSame([table[0]?.[0], table[0]?.[2]], ['Sat, Nov 21', dollars(month)])
    t.strictSame([table[21]?.[0], table[21]?.[2]], ['Sat, Oct 31', dollars(lastMonth)])
    const before = await page.evaluate(`document.querySelector('#cost-plot canvas').toDataURL()`)
    const { page: without } = await open(t, browser, await serve(t, { usage }))
    t.not(await without.evaluate(`document.querySelector('#cost-plot canvas').toDataURL()`), before)
    t.equal((await texts(without, '#cost-layers li')).length, 3)
    await without.hover('#cost-plot .u-over')
    t.match(await text(without, '#cost-head'), /^(Sat|Sun|Fri), Oct 31|Nov 1|Oct 30$/)
  })

  t.test('anomalies are marked and explained, and savings are listed', async (t) => {
    const { page } = await open(t, browser, served)
    const [anomaly] = await texts(page, '#anomaly-list li')
    t.match(
      anomaly,
      /^×\d\d\nNightly reports\n+Nov 17: [\d,]+ tokens issued, ×\d\d against its median of \d+ tokens a day$/,
    )
    t.equal(
      (await texts(page, '#client-table .badge')).filter((it) =>
        /^×\d\d against its median$/.test(it),
      ).length,
      1,
    )
    const savings = await texts(page, '#saving-list li')
    t.match(
      savings[0],
      /^\$[\d.]+\nwarehouse-sync\n+[\d,]+ tokens issued in 30 days\. One an hour, 720, is enough with a cache\.$/,
    )
    await page.click('#show-anomalies')
    t.equal(await page.evaluate('document.activeElement.id'), 'anomaly-title')
    await page.evaluate(`document.querySelector('#saving-list button').click()`)
    await settled(page)
    t.equal(await text(page, '#chart-title'), 'Tokens over time: warehouse-sync')
    const calm = await serve(t, {
      usage: await seededUsage([{ clientId: 'a', age: 3, perHour: 1 }]),
    })
    const { page: quiet } = await open(t, browser, calm)
    t.strictSame(await texts(quiet, '.findings'), [
      'None in the last 30 days.',
      'None in the last 30 days.',
    ])
    t.equal(await text(quiet, '#last-month-note'), 'nothing was counted')
    t.equal(await quiet.evaluate(`document.querySelector('#anomalies-tile').className`), 'tile')
  })

  t.test('totals per user pool and Region', async (t) => {
    const { page } = await open(t, browser, served)
    const pools = await rows(page, '#pool-table')
    t.strictSame(
      pools.map(([name]) => name),
      ['eu-west-1_Ab12Cd34E', 'us-east-1_Xy98Zw76V'],
    )
    const { rows: found } = await usage.history({ group: 'pool', from: '2026-11' })
    t.strictSame(
      pools.map((cells) => cells[3]),
      found.map(({ cost }) => dollars(cost ?? 0)),
    )
    t.strictSame(
      (await rows(page, '#region-table')).map(([name]) => name),
      ['eu-west-1', 'us-east-1'],
    )
  })
})
