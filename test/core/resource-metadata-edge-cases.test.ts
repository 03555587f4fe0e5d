/** Borders of the resource's metadata: what is no identifier, and whose the document is. */
import t from 'tap'
import { readResourceMetadata } from '../../src/core/resource-metadata.ts'

const resource = 'https://api.example.com'

t.test('an empty fragment or query is one, too', async (t) => {
  for (const end of ['/#', '/v1#', '/?', '/v1?']) {
    t.throws(
      () => readResourceMetadata({ resource: `${resource}${end}` }),
      { code: 'ERR_OPTION_INVALID' },
      end,
    )
  }
})

t.test('what a reader does to a document shows in no other', async (t) => {
  const servers = ['https://issuer.example.com']
  const plan = readResourceMetadata({ resource, authorizationServers: servers, scopes: ['a/b'] })
  const read = () => plan?.document([], []) as unknown as Record<string, string[]>
  for (const member of ['authorization_servers', 'scopes_supported', 'bearer_methods_supported']) {
    const before = JSON.stringify(read())
    try {
      read()[member]?.push('https://evil.example')
    } catch {
      // Frozen is as good as a copy.
    }
    t.equal(JSON.stringify(read()), before, member)
  }
})

t.test('an issuer is written in one spelling, without a query', async (t) => {
  const metadata = (authorizationServers: string) => ({
    resource: 'https://api.example.com',
    authorizationServers,
  })
  for (const server of [
    'https://A.example',
    'https://a.example:443',
    'https://@a.example',
    'https:a.example',
    'https://a.example/?q=1',
    'https://a.example#',
  ]) {
    t.throws(() => readResourceMetadata(metadata(server)), { code: 'ERR_OPTION_INVALID' }, server)
  }
  t.ok(readResourceMetadata(metadata('https://a.example/pool')))
  const quoted = { resource: 'https://evil"x.example' }
  t.throws(
    () => readResourceMetadata(quoted),
    /resourceMetadata\.resource: expected a host name without quotes, got one with a quote\. Remove the quote\.$/,
  )
})
