/** What callers get at each age of a token, for short and long lifetimes. */
import t from 'tap'
import { codeOf, refusal, settle, setUpClient, timers, tokenAnswer } from '../../support/client.ts'

const MINUTE = 60_000

/** Lives in minutes: at which age a token is renewed, waited for, and no longer served; milliseconds. */
const lives = [
  { minutes: 5, refreshAt: 225_000, expiringAt: 262_500, endsAt: 295_000 },
  { minutes: 15, refreshAt: 675_000, expiringAt: 787_500, endsAt: 895_000 },
  { minutes: 20, refreshAt: 900_000, expiringAt: 1_050_000, endsAt: 1_195_000 },
  { minutes: 60, refreshAt: 2_700_000, expiringAt: 3_300_000, endsAt: 3_595_000 },
  { minutes: 1440, refreshAt: 64_800_000, expiringAt: 86_100_000, endsAt: 86_395_000 },
] as const

/** A client with a token of so many minutes. */
async function begin(minutes: number) {
  const { client, world } = setUpClient()
  world.answer = () => tokenAnswer(`token-${world.requests.length}`, minutes * 60)
  const first = await client.getToken()
  const at = (age: number): void => world.pass(age - world.monotonic)
  return { client, world, first, at }
}

for (const { minutes, refreshAt, expiringAt, endsAt } of lives) {
  const life = `a token of ${minutes} minutes`

  t.test(`${life}: renewed in the background from 75 % of its life on`, async (t) => {
    const { client, world, first, at } = await begin(minutes)
    at(refreshAt - 1)
    t.equal(await client.getToken(), first)
    await settle()
    t.equal(world.requests.length, 1, 'not before')
    at(refreshAt)
    let answer = (): void => {}
    world.answer = () =>
      new Promise((resolve) => (answer = () => resolve(tokenAnswer('second', minutes * 60))))
    t.equal(await client.getToken(), first, 'nobody waits')
    at(expiringAt - 1)
    t.equal(await client.getToken(), first, 'nor while the renewal hangs')
    await settle()
    t.equal(world.requests.length, 2)
    answer()
    await settle()
    t.equal((await client.getToken()).accessToken, 'second')
    t.equal(world.requests.length, 2)
  })

  t.test(`${life}: while it is expiring, a caller waits for the renewal`, async (t) => {
    const { client, world, at } = await begin(minutes)
    at(expiringAt)
    t.equal((await client.getToken()).accessToken, 'token-2')
    t.equal(world.requests.length, 2)
  })

  t.test(`${life}: the wait ends after 1 s with the cached token`, async (t) => {
    const pass = timers(t)
    const { client, world, first, at } = await begin(minutes)
    at(expiringAt)
    world.answer = () => new Promise(() => {})
    let result: unknown
    const waiting = client.getToken().then((token) => (result = token))
    await pass(999)
    t.equal(result, undefined)
    await pass(1)
    t.equal(await waiting, first)
    client.close()
  })

  t.test(`${life}: served until 5 s before its expiry, whatever the renewal does`, async (t) => {
    const { client, world, first, at } = await begin(minutes)
    world.answer = () => refusal('invalid_client')
    for (const age of [refreshAt, expiringAt, (expiringAt + endsAt) / 2, endsAt - 1]) {
      at(age)
      t.equal(await client.getToken(), first)
      await settle()
      const requestCount = world.requests.length
      t.equal(await client.getToken(), first, 'without a wait while a backoff runs')
      t.equal(world.requests.length, requestCount)
    }
    at(endsAt + 59_999)
    t.equal(await codeOf(client.getToken()), 'ERR_TOKEN_REQUEST_REFUSED')
  })

  t.test(`${life}: from 5 s before its expiry on, a caller waits for the next one`, async (t) => {
    const pass = timers(t)
    const { client, world, at } = await begin(minutes)
    at(endsAt)
    let answer = (): void => {}
    world.answer = () => new Promise((resolve) => (answer = () => resolve(tokenAnswer('next'))))
    let result: unknown
    const waiting = client.getToken().then((token) => (result = token))
    await pass(4999)
    t.equal(result, undefined)
    answer()
    t.match(await waiting, { accessToken: 'next' })
    t.equal(world.requests.length, 2)
  })
}

t.test('a call just before the end of the token does not wait beyond that end', async (t) => {
  const pass = timers(t)
  const { client, world, first, at } = await begin(5)
  at(295_000 - 100)
  world.answer = () => new Promise(() => {})
  const waiting = client.getToken()
  await settle()
  world.pass(101)
  await pass(100)
  t.equal(await waiting, first, '5 s less a millisecond are left of it')
  client.close()
})

t.test('a process that is suspended during that wait returns no expired token', async (t) => {
  const pass = timers(t)
  const { client, world, at } = await begin(5)
  at(290_000)
  let answer = (): void => {}
  world.answer = () => new Promise((resolve) => (answer = () => resolve(tokenAnswer('next'))))
  const waiting = client.getToken()
  const impatient = codeOf(client.getToken({ timeout: 1.5 }))
  await settle()
  world.pass(10 * MINUTE)
  await pass(1000)
  await pass(500)
  t.equal(await impatient, 'ERR_TOKEN_TIMEOUT', 'its timeout counts from the call on')
  answer()
  t.equal((await waiting).accessToken, 'next')
})
