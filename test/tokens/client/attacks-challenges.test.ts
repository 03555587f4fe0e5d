/** Challenges of real APIs for a rejected token, and responses that break off. */
import t from 'tap'
import { serve, setUpClient, tokenAnswer } from '../../support/client.ts'

const transport = () => {
  let issued = 0
  const fetched: typeof fetch = async (url, init) => {
    if (!String(url).includes('/oauth2/token')) return fetch(url, init)
    issued += 1
    return tokenAnswer(`token-${issued}`)
  }
  return fetched
}

for (const challenge of [
  // An HTTP API of API Gateway, as AWS documents it: blanks where the grammar has commas.
  'Bearer scope="" error="invalid_token" error_description="the token has expired"',
  'Bearer error=invalid_token error_description=x',
  'Basic realm="a", Bearer error = "invalid_token" , realm="b"',
  'Bearer error="invalid_token"',
]) {
  t.test(`renewed after: ${challenge}`, async (t) => {
    const sent: (string | undefined)[] = []
    const origin = await serve(t, ({ headers }, response) => {
      sent.push(headers.authorization)
      if (sent.length === 1) response.writeHead(401, { 'www-authenticate': challenge })
      response.end()
    })
    const { client } = setUpClient({ origins: [origin], fetch: transport() })
    t.equal((await client.fetch(origin)).status, 200)
    t.same(sent, ['Bearer token-1', 'Bearer token-2'])
  })
}

for (const challenge of [
  'Bearer error="invalid_tokens"',
  'Bearer error="insufficient_scope" error_description="x"',
  'Bearer x_error="invalid_token"',
]) {
  t.test(`not renewed after: ${challenge}`, async (t) => {
    const origin = await serve(t, (_request, response) => {
      response.writeHead(401, { 'www-authenticate': challenge }).end()
    })
    const { client, world } = setUpClient({ origins: [origin], fetch: transport() })
    t.equal((await client.fetch(origin)).status, 401)
    t.equal((await client.getToken()).accessToken, 'token-1')
    t.equal(world.logged.length, 0)
  })
}

t.test('a 401 whose body breaks off is handled as a 401', async (t) => {
  const sent: (string | undefined)[] = []
  const origin = await serve(t, ({ headers, socket }, response) => {
    sent.push(headers.authorization)
    if (sent.length > 1) {
      response.end('yes')
      return
    }
    response.writeHead(401, {
      'www-authenticate': 'Bearer error="invalid_token"',
      'content-length': 1000,
    })
    response.write('x')
    setImmediate(() => socket.resetAndDestroy())
  })
  const fetched = transport()
  const { client } = setUpClient({
    origins: [origin],
    // Cognito takes longer than the API's connection lives.
    fetch: async (url, init) => {
      if (sent.length === 1) await new Promise((resolve) => setTimeout(resolve, 50))
      return fetched(url, init)
    },
  })
  const response = await client.fetch(origin)
  t.equal(response.status, 200)
  t.equal(await response.text(), 'yes')
  t.same(sent, ['Bearer token-1', 'Bearer token-2'])
})
