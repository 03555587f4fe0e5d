/** `client.prefetch()`: tokens before the first call. */
import t from 'tap'
import { codeOf, failureOf, refusal, setUpClient, tokenAnswer } from '../../support/client.ts'

t.test('one token request for each set, which later calls use', async (t) => {
  const { client, world } = setUpClient()
  t.equal(await client.prefetch(), true)
  t.equal(await client.prefetch({ scopes: 'a/b' }, { scopes: ['a/c'] }, { scopes: ['a/b'] }), true)
  t.equal(world.requests.length, 3)
  await client.getToken()
  await client.getToken({ scopes: 'a/b' })
  await client.getToken({ scopes: 'a/c' })
  t.equal(world.requests.length, 3)
})

t.test('a failed token request is logged, and does not reject', async (t) => {
  const { client, world } = setUpClient()
  world.answer = (form) =>
    form.get('scope') === 'a/b' ? refusal('invalid_scope') : tokenAnswer('good')
  t.equal(await client.prefetch({ scopes: 'a/b' }, { scopes: 'a/c' }), false)
  t.equal(world.logged.length, 1)
  t.equal((await client.getToken({ scopes: 'a/c' })).accessToken, 'good')
})

t.test('invalid options send no request, and neither does a closed client', async (t) => {
  const { client, world } = setUpClient()
  const failure = await failureOf(client.prefetch({ scopes: 'a/b' }, { scope: 'a/c' } as object))
  t.match(failure, { code: 'ERR_OPTION_INVALID' })
  t.equal(world.requests.length, 0)
  client.close()
  t.equal(await codeOf(client.prefetch()), 'ERR_CLIENT_CLOSED')
})
