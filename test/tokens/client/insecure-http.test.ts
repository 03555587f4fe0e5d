/** `insecureHttp`: http to hosts of a private network, never to hosts of AWS. */
import { once } from 'node:events'
import t, { type Test } from 'tap'
import {
  createTokenClient,
  OptionError,
  type TokenClientOptions,
} from '../../../src/tokens/client/index.ts'
import { codeOf, ENDPOINT, SECRET, setUpClient, tokenAnswer } from '../../support/client.ts'

const good = { tokenEndpoint: ENDPOINT, clientId: 'billing', clientSecret: SECRET }

function refused(options: object): OptionError {
  try {
    createTokenClient({ ...good, ...options } as TokenClientOptions)
  } catch (error) {
    if (error instanceof OptionError) return error
    throw error
  }
  throw new Error('accepted')
}

/** Warnings of the process until the end of a test. */
function warnings(t: Test): (Error & { code?: string })[] {
  const received: Error[] = []
  const listener = (warning: Error): void => {
    received.push(warning)
  }
  process.on('warning', listener)
  t.teardown(() => process.off('warning', listener))
  return received
}

const AWS_HOSTS = [
  'shop.auth.eu-west-1.amazoncognito.com',
  'SHOP.auth.eu-west-1.AmazonCognito.COM',
  'shop.auth.eu-west-1.amazoncognito.com.',
  'shop.auth.eu-west-1.amazoncognito.com..',
  'amazoncognito.com',
  'shop.auth.eu-west-1.%61mazoncognito.com',
  'shop.auth.eu-west-1.ａmazoncognito.com',
  'cognito-idp.eu-west-1.amazonaws.com',
  'cognito-idp.eu-west-1.AMAZONAWS.com.',
  'a1b2.execute-api.eu-west-1.amazonaws.com:8080',
  'cognito-idp.cn-north-1.amazonaws.com.cn',
  'cognito-idp.eusc-de-east-1.amazonaws.eu',
  'cognito-idp.us-iso-east-1.c2s.ic.gov',
  'cognito-idp.us-isob-east-1.sc2s.sgov.gov',
  'cognito-idp.eu-isoe-west-1.cloud.adc-e.uk',
  'cognito-idp.us-isof-south-1.csp.hci.ic.gov.',
  'api.amazonaws.internal',
]

t.test('http to other hosts needs insecureHttp: true', async (t) => {
  for (const insecureHttp of [{}, { insecureHttp: false }]) {
    const endpoint = { tokenEndpoint: 'http://auth:9000/oauth2/token', ...insecureHttp }
    t.match(refused(endpoint), { option: 'tokenEndpoint', problem: /expected an https URL/ })
    const origins = { origins: ['http://orders:3000'], ...insecureHttp }
    t.match(refused(origins), { option: 'origins[0]', problem: /expected an https URL/ })
  }
  for (const insecureHttp of ['true', 1, 0, null, {}, [], 'http://orders']) {
    t.match(refused({ insecureHttp }), { option: 'insecureHttp', problem: /Pass true or false\.$/ })
  }
  t.match(refused({ insecureHttp: undefined }), { option: 'insecureHttp' })
})

t.test('insecureHttp never applies to hosts of AWS, in any spelling', async (t) => {
  for (const host of AWS_HOSTS) {
    t.match(refused({ insecureHttp: true, origins: ['http://api:3000', `http://${host}`] }), {
      option: 'origins[1]',
      problem:
        'expected https, got http for a host of AWS. Use https: insecureHttp does not apply to AWS.',
    })
    const tokenEndpoint = `http://${host}/oauth2/token`
    t.equal(refused({ insecureHttp: true, tokenEndpoint }).option, 'tokenEndpoint', host)
  }
  for (const url of ['ftp://api', 'http://me:pw@api', 'ws://api', 'blob:http://api/x', 'http://']) {
    t.equal(refused({ insecureHttp: true, origins: [url] }).option, 'origins[0]', url)
  }
})

t.test('the client logs one warning and sends the token over http', async (t) => {
  const sent: string[] = []
  const received = warnings(t)
  const { client, world } = setUpClient({
    insecureHttp: true,
    tokenEndpoint: 'http://auth.internal:9000/oauth2/token',
    origins: ['http://orders:3000', 'http://stock', 'https://api.example.com', 'http://localhost'],
    fetch: async (url, init) => {
      const { authorization = '' } = Object.fromEntries(new Headers(init?.headers))
      sent.push(`${url} ${authorization.replace(/^Basic .*/, 'Basic')}`)
      return String(url).includes('/oauth2/') ? tokenAnswer('token-1') : new Response('ok')
    },
  })
  t.strictSame(world.logged, [
    {
      details: {
        origins: ['http://auth.internal:9000', 'http://orders:3000', 'http://stock'],
      },
      message: 'cognito-m2m: insecureHttp: secrets or tokens are sent without encryption',
    },
  ])
  t.equal((await client.fetch('http://orders:3000/orders')).status, 200)
  t.equal((await client.fetch('http://stock/items')).status, 200)
  t.strictSame(sent, [
    'http://auth.internal:9000/oauth2/token Basic',
    'http://orders:3000/orders Bearer token-1',
    'http://stock/items Bearer token-1',
  ])
  t.equal(await codeOf(client.fetch('http://orders/orders')), 'ERR_FETCH_ORIGIN')
  t.equal(await codeOf(client.fetch('http://api.example.com/')), 'ERR_FETCH_ORIGIN')
  t.equal(world.logged.length, 1)
  await new Promise((resolve) => setImmediate(resolve))
  t.strictSame(received, [], 'the log has it')
})

t.test('without a logger, the warning is a process warning', async (t) => {
  const warned = once(process, 'warning')
  createTokenClient({ ...good, insecureHttp: true, origins: ['http://orders:3000'] })
  const [warning] = await warned
  t.match(warning, {
    name: 'Warning',
    code: 'COGNITO_M2M_INSECURE_HTTP',
    message:
      'cognito-m2m: insecureHttp: secrets or tokens are sent without encryption to http://orders:3000',
  })
})

t.test('no warning without http to another host', async (t) => {
  const received = warnings(t)
  const { world } = setUpClient({
    insecureHttp: true,
    origins: ['https://a.example', 'http://[::1]:1'],
  })
  t.strictSame(world.logged, [])
  createTokenClient({ ...good, insecureHttp: true })
  await new Promise((resolve) => setImmediate(resolve))
  t.strictSame(received, [])
})

t.test('no redirect sends a token from https to http, or to another host', async (t) => {
  for (const [from, to] of [
    ['https://api.example.com', 'http://api.example.com/'],
    ['https://api.example.com', 'http://orders:3000/'],
    ['http://orders:3000', 'http://orders:3001/'],
    ['http://orders:3000', 'http://stock/'],
    ['http://orders:3000', 'https://orders:3000/'],
  ] as const) {
    const urls: string[] = []
    const { client } = setUpClient({
      insecureHttp: true,
      origins: [
        ...['https://api.example.com', 'http://api.example.com', 'http://orders:3000'],
        ...['http://orders:3001', 'http://stock', 'https://orders:3000'],
      ],
      fetch: async (url) => {
        if (String(url) === ENDPOINT) return tokenAnswer('token-1')
        urls.push(String(url))
        return new Response(null, { status: 307, headers: { location: to } })
      },
    })
    t.equal(await codeOf(client.fetch(`${from}/`)), 'ERR_FETCH_REDIRECT', to)
    t.strictSame(urls, [`${from}/`])
  }
})
