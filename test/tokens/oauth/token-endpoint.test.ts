/** The option `tokenEndpoint` of client and proxy. */
import fastify from 'fastify'
import t from 'tap'
import { OptionError } from '../../../src/index.ts'
import { createTokenClient } from '../../../src/tokens/client/index.ts'
import { tokenProxy } from '../../../src/tokens/proxy/index.ts'

function ofClient(tokenEndpoint: string): OptionError | undefined {
  try {
    createTokenClient({ tokenEndpoint, clientId: 'billing', clientSecret: 'secret' })
  } catch (error) {
    if (error instanceof OptionError) return error
    throw error
  }
  return undefined
}

async function ofProxy(tokenEndpoint: string): Promise<OptionError | undefined> {
  const app = fastify()
  try {
    await app.register(tokenProxy, { tokenEndpoint })
  } catch (error) {
    if (error instanceof OptionError) return error
    throw error
  } finally {
    await app.close()
  }
  return undefined
}

t.test('a token endpoint of Cognito has the path /oauth2/token', async (t) => {
  const host = 'shop.auth.eu-west-1.amazoncognito.com'
  const wrong = [
    ...['', '/', '/oauth2', '/oauth2/token/', '/oauth2/authorize', '/token', '/oauth2//token'],
    ...['/OAuth2/token', '/oauth2/%74oken', '/x/oauth2/token', '/?/oauth2/token'],
  ]
  for (const domain of [
    host,
    host.toUpperCase(),
    `${host}.`,
    'x.auth-fips.us-gov-west-1.amazoncognito.com',
  ]) {
    for (const path of wrong) {
      const url = `https://${domain}${path}`
      for (const error of [ofClient(url), await ofProxy(url)]) {
        t.match(error, { option: 'tokenEndpoint' }, url)
        t.match(
          error?.problem,
          /^expected the path \/oauth2\/token at a Cognito domain, got ".*"\. Use https:\/\/.*\/oauth2\/token\.$/,
        )
      }
    }
    for (const path of ['/oauth2/token', '/oauth2/./token']) {
      const url = `https://${domain}${path}`
      t.equal(ofClient(url), undefined, url)
      t.equal(await ofProxy(url), undefined, url)
    }
  }
})

t.test('a token endpoint elsewhere has a path', async (t) => {
  for (const origin of [
    ...['https://auth.example.com', 'https://a', 'http://127.0.0.1:9229', 'http://localhost'],
    ...['https://amazoncognito.com.example.com', 'https://notamazoncognito.com'],
  ]) {
    for (const url of [origin, `${origin}/`, `${origin}?a=b`, `${origin}/.`]) {
      for (const error of [ofClient(url), await ofProxy(url)]) {
        t.match(error, {
          option: 'tokenEndpoint',
          problem: `expected a URL with a path, got "${origin}". Pass the whole URL, for example ${origin}/oauth2/token.`,
        })
      }
    }
    for (const path of ['/oauth2/token', '/token', '/a/b?c=d']) {
      t.equal(ofClient(origin + path), undefined)
      t.equal(await ofProxy(origin + path), undefined)
    }
  }
})
