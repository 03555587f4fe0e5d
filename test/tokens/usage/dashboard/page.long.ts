/** The page in a browser: numbers, chart, names and times. */
import t from 'tap'
import type { Usage } from '../../../../src/tokens/usage/index.ts'
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

const number = (value: number): string => value.toLocaleString('en-US')
const dollars = (value: number): string =>
  value.toLocaleString('en-US', { style: 'currency', currency: 'USD' })
const sum = (values: readonly number[]): number => values.reduce((total, it) => total + it, 0)

t.test('the dashboard', { skip: withoutChromium }, async (t) => {
  const browser = await launchChromium(t)

  t.test('the numbers are those of the report', async (t) => {
    const usage = await seededUsage(COMPANY)
    const [report, history, forecast] = [
      await usage.report(),
      await usage.history(),
      await usage.forecast(),
    ]
    const served = await serve(t, { usage })
    const visited = await open(t, browser, served)
    const { page } = visited

    t.equal(await page.title(), 'Token usage')
    const [month, lastMonth, whole] = [
      history.periods.at(-1),
      history.periods.at(-2),
      forecast.forecast,
    ]
    t.strictSame(await texts(page, '.figure'), [
      ...[month, whole, lastMonth].map((it) => dollars(it?.cost ?? 0)),
      ...[dollars(month?.saved ?? 0), '1', '2'],
    ])
    t.strictSame(await texts(page, '.tile h2'), [
      ...['November so far', 'Forecast for November', 'October, last month'],
      ...['Saved by caching in November', 'Anomalies', 'Unused for 90 days'],
    ])
    t.equal(await text(page, '#month-note'), `${number(month?.issued ?? 0)} tokens issued`)
    t.equal(await text(page, '#forecast-note'), 'at the rate of the last 7 days')
    t.match(await text(page, '#saved-note'), /^[\d.]+% of [\d,]+ tokens came from the cache$/)

    const shown = await rows(page, '#client-table')
    t.equal(shown.length, report.rows.length)
    const current = history.rows.filter(({ period }) => period === '2026-11')
    for (const row of report.rows.filter(({ kind, unused }) => kind === 'client' && !unused)) {
      const { tokens, requests, clientId } = row
      const cells = shown.find(([name]) => name?.startsWith(`${clientId}\n${row.userPoolId}`))
      t.equal(cells?.[1], dollars(current.find((it) => it.clientId === clientId)?.cost ?? 0))
      t.equal(
        cells?.[2],
        dollars(forecast.clients.find((it) => it.clientId === clientId)?.cost ?? 0),
      )
      t.strictSame(cells?.slice(4, 6), [number(tokens.issued), number(tokens.cached)])
      t.equal(cells?.[7], number(tokens.refused))
      t.equal(cells?.[8], number(requests.accepted))
      const codes = Object.entries(requests.byCode).map(
        ([code, count]) => `\n${code.slice(4)} ${number(count)}`,
      )
      t.equal(cells?.[9], number(requests.refused) + codes.join(''))
    }
    const { lines } = await usage.series('day')
    const issued = sum(lines.map((line) => sum(line.issued.slice(-30))))
    t.equal(await text(page, '#legend-head b'), number(issued))
    const table = (await page.evaluate(
      `[...document.querySelectorAll('#chart-table td')].map((it) => Number(it.textContent.replaceAll(',', '')))`,
    )) as number[]
    t.equal(sum(table), issued, 'the chart as a table')
    checkClean(t, served, visited)
  })

  t.test('unused clients are marked, and a filter shows them', async (t) => {
    const served = await serve(t, { usage: await seededUsage(COMPANY) })
    const { page } = await open(t, browser, served)
    t.strictSame(
      (await texts(page, 'tr.unused th')).map((it) => it.split('\n')),
      [
        ['legacy-export', 'eu-west-1_Ab12Cd34E', 'unused for 97 days'],
        ['partner-acme', 'eu-west-1_Ab12Cd34E', 'unused for 113 days'],
      ],
    )
    t.equal(await page.evaluate(`document.querySelector('#unused-tile').className`), 'tile warning')
    await page.click('#show-unused')
    t.equal((await rows(page, '#client-table')).length, 2)
    t.equal(await text(page, '#shown'), '2 rows')
    await page.type('#search', 'ACME')
    t.strictSame(await texts(page, '#client-table .name-button'), ['partner-acme'])
  })

  t.test('the chart follows range, tokens and client', async (t) => {
    const usage = await seededUsage(COMPANY)
    const served = await serve(t, { usage })
    const visited = await open(t, browser, served)
    const { page } = visited
    const { lines } = await usage.series('hour')
    await page.click('input[name="range"][value="24h"]')
    await page.click('input[name="count"][value="all"]')
    await settled(page)
    const all = sum(lines.map((it) => sum([...it.issued.slice(-24), ...it.cached.slice(-24)])))
    t.equal(await text(page, '#legend-head'), `last 24 hours\n${number(all)}`)
    t.match(
      await page.evaluate(`document.querySelector('#plot').ariaLabel`),
      /^Stacked bars: tokens issued or served from cache per hour in the last 24 hours, [\d,]+ in all\. Largest: checkout-api with [\d,]+, \d/,
    )
    await page.evaluate(
      `[...document.querySelectorAll('.name-button')].find((it) => it.innerText === 'web-shop').click()`,
    )
    await settled(page)
    const line = lines.find(({ clientId }) => clientId === 'web-shop')
    t.equal(await text(page, '#chart-title'), 'Tokens over time: web-shop')
    t.strictSame(await texts(page, '#layers li'), [
      `Issued\n${number(sum(line?.issued.slice(-24) ?? []))}`,
      `From cache\n${number(sum(line?.cached.slice(-24) ?? []))}`,
    ])
    await page.hover('.u-over')
    t.match(await text(page, '#legend-head'), /^Sat, Nov 21, 0\d:00 AM|^Fri, Nov 20, \d\d:00 PM/)
    await page.click('#all-clients')
    await settled(page)
    t.equal(await text(page, '#chart-title'), 'Tokens per client over time')
    t.equal((await texts(page, '#layers li')).length, 8)
    checkClean(t, served, visited)
  })

  t.test('names are shown as text, whatever they contain', async (t) => {
    const bidi = 'a\u202egnp.exe\u2066b\u200bc'
    const long = `${'x'.repeat(200)}${'\u0301'.repeat(56)}`
    const names = [
      ...[
        '<img src=x onerror=globalThis.hit=1>',
        '"><script>globalThis.hit=1</script>',
        bidi,
        long,
      ],
      ...[
        '=cmd()|calc',
        "';hit=1//",
        '__proto__',
        '{{7*7}}',
        '\u05e9\u05dc\u05d5\u05dd',
        '</title><style>*{display:none}',
      ],
    ]
    const [first = ''] = names
    const clients = [{ clientId: first, name: `${first}2`, team: bidi, tags: { [first]: bidi } }]
    const hostile = names.map(
      (clientId, index): SeededClient => ({
        clientId,
        age: 3,
        perHour: 100 - index,
        ...(index === 4 ? { userPoolId: '<svg onload=globalThis.hit=1>' } : {}),
      }),
    )
    const usage = await seededUsage(hostile)
    const served = await serve(t, { usage, clients })
    const visited = await open(t, browser, served, { width: 390 })
    const { page } = visited
    const shown = new Set(await texts(page, '#client-table .name-button'))
    const plain = names.slice(1).filter((it) => it !== bidi && it !== long)
    for (const name of [...plain, `${first}2`]) t.ok(shown.has(name), name)
    const written = 'a⟨U+202E⟩gnp.exe⟨U+2066⟩b⟨U+200B⟩c'
    t.strictSame(await texts(page, '.tag'), [written, `<img src=x onerror=globalT…⟩b⟨U+200B⟩c`])
    t.ok(shown.has('a⟨U+202E⟩gnp.exe⟨U+2066⟩b⟨U+200B⟩c'), 'what turns text round is written out')
    t.ok([...shown].every((it) => [...it].length <= 40))
    for (const index of names.keys()) {
      await page.evaluate(
        `document.querySelectorAll('#client-table .name-button')[${index}].click()`,
      )
      await settled(page)
      t.equal((await texts(page, '#layers li')).length, 1)
    }
    const unseen = /[^\P{C}\n\t]|\u0301{3}/u
    t.notMatch(await page.evaluate('document.body.innerText'), unseen)
    t.strictSame(
      await page.evaluate(
        `[...document.querySelectorAll('[title], [aria-label]')].map((it) => it.title + it.ariaLabel).filter((it) => ${unseen}.test(it))`,
      ),
      [],
    )
    t.strictSame(
      await page.evaluate(
        '[globalThis.hit === undefined, document.images.length, document.scripts.length, document.querySelectorAll("svg").length, document.styleSheets.length]',
      ),
      [true, 0, 2, 0, 5],
    )
    t.ok(await page.evaluate('document.documentElement.scrollWidth <= innerWidth'), 'not wider')
    const table = (await served.app.inject('/ops/usage/usage.csv')).body
    t.match(table, "'=cmd()|calc")
    checkClean(t, served, visited)
  })

  t.test('times are local, with UTC beside them', async (t) => {
    const served = await serve(t, { usage: await seededUsage(COMPANY) })
    const { page } = await open(t, browser, served, { timezone: 'Asia/Tokyo' })
    t.match(await text(page, '#about'), /Updated 11:05:09\sPM$/)
    t.equal(
      await page.evaluate(`document.querySelector('#about time:last-child').title`),
      '2026-11-21 14:05:09 UTC',
    )
    t.match(await text(page, 'tbody td time'), /^Nov 21, 2026, 11:04\sPM$/)
  })

  t.test('a page without counts', async (t) => {
    const served = await serve(t, { usage: await seededUsage([]) })
    const visited = await open(t, browser, served)
    const { page } = visited
    t.equal(await text(page, '#nothing h2'), 'Nothing counted yet')
    t.match(await text(page, '#sources'), 'No source is attached')
    t.match(await texts(page, '#nothing pre'), [
      /^usage\.attach\(app\.tokenProxy\)/,
      /^curl -u .* -d grant_type=client_credentials /,
      /^curl -H "Authorization: Bearer /,
    ])
    for (const section of ['.tiles', '#over-time', '#costs', '#findings', '#groups', '#clients']) {
      t.equal(
        await page.evaluate(`document.querySelector('${section}').checkVisibility()`),
        false,
        section,
      )
    }
    checkClean(t, served, visited)
  })

  t.test('a failing store is reported, and read again', async (t) => {
    const seeded = await seededUsage(COMPANY)
    let broken = true
    const failing = (): Promise<never> => Promise.reject(new Error('down'))
    const usage: Usage = {
      ...seeded,
      report: () => (broken ? failing() : seeded.report()),
      series: (unit) => (broken ? failing() : seeded.series(unit)),
      status: () => ({ ...seeded.status(), degraded: true }),
    }
    const { page } = await open(t, browser, await serve(t, { usage }))
    t.match(await text(page, '#notice'), /^The counts cannot be read now\. *Try again$/)
    t.equal(await page.evaluate(`document.querySelector('#notice').role`), 'alert')
    broken = false
    await page.click('#notice button')
    await page.waitForFunction(`document.querySelectorAll('#client-table tbody tr').length === 13`)
    await settled(page)
    t.equal(
      await text(page, '#notice'),
      'The usage store failed. The latest counts are kept in memory until it recovers.',
    )
  })

  t.test('an unauthorized request gets no part of the dashboard', async (t) => {
    let isIn = true
    const usage = await seededUsage(COMPANY)
    const served = await serve(t, { usage, authorize: () => isIn })
    const { page } = await open(t, browser, served)
    isIn = false
    await page.click('#refresh')
    await page.waitForFunction(`document.querySelector('#notice').innerText !== ''`)
    t.match(await text(page, '#notice'), /^Access was denied\. Reload the page/)
    const refused = await visit(t, browser, `${served.origin}/ops/usage/`)
    t.match(await refused.page.evaluate('document.body.innerText'), 'ERR_ACCESS_DENIED')
    t.equal(refused.requests.filter((it) => it.includes('/ops/')).length, 1)
    await served.app.close()
    await page.click('#refresh')
    await page.waitForFunction(
      `document.querySelector('#notice').innerText.startsWith('The server')`,
    )
  })

  t.test('a password opens the page, its scripts and its data', async (t) => {
    const expected = `Basic ${btoa('ops:secret')}`
    const served = await serve(t, {
      usage: await seededUsage(COMPANY),
      authorize: ({ headers }) => headers.authorization === expected,
      challenge: 'Basic realm="usage"',
    })
    const visited = await visit(t, browser, 'about:blank')
    const { page } = visited
    await page.authenticate({ username: 'ops', password: 'secret' })
    await page.goto(`${served.origin}/ops/usage/`)
    await settled(page)
    t.equal((await rows(page, '#client-table')).length, 13)
    t.strictSame(visited.violations, [])
  })
})
