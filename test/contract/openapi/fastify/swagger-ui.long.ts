/** Swagger UI in a browser: gets a token from the local pool, and calls operations with and without its scope. */
import swaggerUi from '@fastify/swagger-ui'
import type { Page } from 'puppeteer-core'
import t, { type Test } from 'tap'
import { authDefault, cognitoAuth } from '../../../../src/adapters/fastify/index.ts'
import { cognitoOpenApi } from '../../../../src/contract/openapi/fastify/index.ts'
import { startUserPool } from '../../../../src/testing/index.ts'
import { launchChromium, visit, withoutChromium } from '../../../support/chromium.ts'
import { newApp } from '../../../support/fastify.ts'
import { info, orders } from '../../../support/openapi.ts'

const SECRET = 'reporting+secret/='

/** Starts an orders API with its documentation, and the pool whose tokens it accepts. */
async function serve(t: Test, cors: boolean, openapi: string): Promise<string> {
  const pool = await startUserPool({
    resourceServers: [orders],
    clients: [{ clientId: 'reporting', clientSecrets: [SECRET] }],
    cors,
  })
  t.teardown(() => pool.close())
  const app = newApp(t)
  await app.register(cognitoAuth, pool.options())
  await app.register(cognitoOpenApi, {
    tokenUrl: pool.tokenEndpoint,
    scopes: [orders],
    swagger: { openapi: { openapi, info } },
  })
  app.register(async (docs) => {
    docs.register(authDefault, { auth: false })
    docs.register(swaggerUi, { routePrefix: '/docs' })
  })
  app.get('/orders', { config: { auth: { scopes: orders.read } } }, async (request) => ({
    caller: request.auth.clientId,
  }))
  app.put('/orders', { config: { auth: { scopes: orders.write } } }, async () => ({}))
  app.get('/health', { config: { auth: false } }, async () => ({ ok: true }))
  return `${await app.listen({ port: 0, host: '127.0.0.1' })}/docs`
}

/** Clicks from a script of the page, because sections that unfold move the target of a pointer. */
async function click(page: Page, selector: string): Promise<void> {
  await page.waitForSelector(selector)
  await page.evaluate(`document.querySelector(${JSON.stringify(selector)}).click()`)
}

async function textOf(page: Page, selector: string): Promise<string> {
  await page.waitForSelector(selector)
  return String(
    await page.evaluate(`document.querySelector(${JSON.stringify(selector)}).innerText`),
  )
}

/** Requests a token with one scope. The dialog stays open. */
async function authorize(page: Page, scope: string): Promise<void> {
  await click(page, '.btn.authorize')
  await page.locator('#client_id_clientCredentials').fill('reporting')
  await page.locator('#client_secret_clientCredentials').fill(SECRET)
  await click(page, `.scopes input[data-value="${scope}"]`)
  await click(page, '.auth-btn-wrapper .authorize')
}

/** Executes one operation. Returns the status and the body of the response. */
async function call(page: Page, operation: string): Promise<{ status: string; body: unknown }> {
  const block = `#operations-default-${operation}`
  await click(page, `${block} .opblock-summary-control`)
  await click(page, `${block} .try-out__btn`)
  await click(page, `${block} .execute`)
  const live = `${block} .live-responses-table .response`
  const [status = ''] = (await textOf(page, `${live} .response-col_status`)).split('\n')
  return { status, body: JSON.parse(await textOf(page, `${live} .highlight-code code`)) }
}

t.test('Swagger UI', { skip: withoutChromium }, async (t) => {
  const browser = await launchChromium(t)

  for (const openapi of ['3.0.3', '3.1.0']) {
    t.test(`${openapi}: a token, 200, then 403`, async (t) => {
      const { page } = await visit(t, browser, await serve(t, true, openapi))
      await authorize(page, orders.read)
      await page.waitForSelector('[aria-label="Remove authorization"]')
      await click(page, '.btn-done')
      t.strictSame(await call(page, 'get_orders'), {
        status: '200',
        body: { caller: 'reporting' },
      })
      t.strictSame(await call(page, 'put_orders'), {
        status: '403',
        body: {
          statusCode: 403,
          code: 'ERR_SCOPE_INSUFFICIENT',
          error: 'Forbidden',
          message: 'The access token lacks a scope required here',
        },
      })
      t.strictSame(await call(page, 'get_health'), { status: '200', body: { ok: true } })
      // Operations that require a token have a lock, public ones have none.
      const locks = await page.evaluate(
        `[...document.querySelectorAll('.opblock')].map((it) => it.querySelector('.authorization__btn')?.ariaLabel)`,
      )
      t.strictSame(locks, ['authorization button locked', 'authorization button locked', null])
    })
  }

  t.test('the browser gets no token without the option cors', async (t) => {
    const { page, errors } = await visit(t, browser, await serve(t, false, '3.1.0'))
    await authorize(page, orders.read)
    t.match(await textOf(page, '.auth-container .errors'), 'Failed to fetch')
    t.ok(errors.some((it) => it.includes('has been blocked by CORS policy')))
  })
})
