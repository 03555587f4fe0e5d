/** `insecureHttp` of the proxy: a token endpoint by http within one's own network. */
import fastify from 'fastify'
import t from 'tap'
import { tokenProxy } from '../../../src/tokens/proxy/index.ts'
import { createRequest } from '../../support/proxy.ts'

/** Registers a proxy; answers its log and why it could not be registered. */
async function register(options: object) {
  const lines: { readonly level: number; readonly msg: string; readonly origins?: string[] }[] = []
  const stream = { write: (line: string) => lines.push(JSON.parse(line)) }
  const app = fastify({ logger: { level: 'warn', stream } })
  const registered = await app.register(tokenProxy, options as never).then(
    () => undefined,
    (error: Error & { option: string; problem: string }) => error,
  )
  return { app, lines, error: registered }
}

t.test('a token endpoint by http needs insecureHttp: true', async (t) => {
  const tokenEndpoint = 'http://cognito-proxy:8080/oauth2/token'
  for (const insecureHttp of [{}, { insecureHttp: false }]) {
    const { app, error } = await register({ tokenEndpoint, ...insecureHttp })
    t.match(error, { option: 'tokenEndpoint', problem: /expected an https URL, got / })
    await app.close()
  }
  for (const insecureHttp of ['true', 1, null, {}]) {
    const { app, error } = await register({ tokenEndpoint, insecureHttp })
    t.match(error, { option: 'insecureHttp', problem: /expected a boolean, got / })
    await app.close()
  }
})

t.test('insecureHttp never applies to hosts of AWS', async (t) => {
  for (const host of [
    'shop.auth.eu-west-1.amazoncognito.com',
    'SHOP.auth.eu-west-1.AMAZONCOGNITO.com.',
    'vpce-1.cognito-idp.eu-west-1.vpce.amazonaws.com',
    'cognito-idp.cn-north-1.amazonaws.com.cn.',
    'cognito-idp.eusc-de-east-1.amazonaws.eu',
  ]) {
    const tokenEndpoint = `http://${host}/oauth2/token`
    const { app, error, lines } = await register({ tokenEndpoint, insecureHttp: true })
    t.match(error, {
      option: 'tokenEndpoint',
      problem:
        'expected https, got http for a host of AWS. Use https: insecureHttp does not apply to AWS.',
    })
    t.strictSame(lines, [])
    await app.close()
  }
})

t.test('with insecureHttp: one warning in the log, and callers are served', async (t) => {
  const urls: string[] = []
  const { app, lines, error } = await register({
    tokenEndpoint: 'http://cognito-proxy:8080/oauth2/token',
    insecureHttp: true,
    fetch: async (url: string) => {
      urls.push(url)
      return Response.json({ access_token: 'a', expires_in: 3600, token_type: 'Bearer' })
    },
  })
  t.teardown(() => app.close())
  t.equal(error, undefined)
  const { path: url, body: payload, headers, method } = createRequest({})
  for (let use = 0; use < 2; use += 1) {
    const { statusCode } = await app.inject({ url, payload, headers: headers as never, method })
    t.equal(statusCode, 200)
  }
  t.strictSame(urls, ['http://cognito-proxy:8080/oauth2/token'])
  t.match(lines, [
    {
      level: 40,
      origins: ['http://cognito-proxy:8080'],
      msg: 'cognito-m2m: insecureHttp: secrets or tokens are sent without encryption',
    },
  ])
  t.equal(lines.length, 1)
})

t.test('no warning if the endpoint is https or on loopback', async (t) => {
  for (const tokenEndpoint of ['https://auth.example/oauth2/token', 'http://127.0.0.1:1/token']) {
    const { app, lines, error } = await register({ tokenEndpoint, insecureHttp: true })
    t.equal(error, undefined)
    t.strictSame(lines, [])
    await app.close()
  }
})
