/**
 * What `getToken` costs while a token is held: `npm run bench -- client`, in less than 10 s. Exits with 1
 * where a call costs more than a microsecond of CPU. Beside it what awaiting an async function costs
 * that does nothing: the least any `getToken` can cost.
 */
import { createTokenClient } from '../dist/tokens/client/index.js'
import { quantile } from './measure.mjs'
import { table } from './table.mjs'

/** Microseconds. */
const LIMIT = 1
const ROUNDS = 40
const WARM_UP = 10
const CALLS = 50_000

let requests = 0
const client = createTokenClient({
  tokenEndpoint: 'https://shop.auth.eu-west-1.amazoncognito.com/oauth2/token',
  clientId: 'billing',
  clientSecret: 'secret',
  fetch: async () => {
    requests += 1
    return Response.json({ access_token: 'held', expires_in: 3600, token_type: 'Bearer' })
  },
})

const scopes = ['orders/read', 'orders/write']
const cases = [
  ['an async function that does nothing', async () => undefined],
  ['getToken()', () => client.getToken()],
  ["getToken({ scopes: 'orders/read' })", () => client.getToken({ scopes: 'orders/read' })],
  ['getToken({ scopes: [two] })', () => client.getToken({ scopes })],
]

/** CPU microseconds per awaited call. */
async function batch(call) {
  const before = process.cpuUsage()
  for (let index = 0; index < CALLS; index += 1) await call()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / CALLS
}

const micros = cases.map(() => [])
const ratios = cases.map(() => [])
for (let round = -WARM_UP; round < ROUNDS; round += 1) {
  const [unit, ...others] = [await batch(cases[0][1])]
  for (const [, call] of cases.slice(1)) others.push(await batch(call))
  if (round < 0) continue
  for (const [index, spent] of [unit, ...others].entries()) {
    micros[index].push(spent)
    ratios[index].push(spent / unit)
  }
}
if (requests !== 3) throw new Error(`${requests} token requests for three scope sets`)

const rows = cases.map(([name], index) => {
  const spent = quantile(micros[index], 0.5)
  const verdict = index === 0 ? '' : spent > LIMIT ? 'OVER' : 'ok'
  return [name, spent.toFixed(3), quantile(ratios[index], 0.5).toFixed(1), verdict]
})
const head = ['held tokens', 'µs of CPU', 'ratio', '']
process.stdout.write(
  `Node ${process.version}, limit ${LIMIT} µs a call\n\n${table([head, ...rows])}\n`,
)
if (rows.some((cells) => cells.at(-1) === 'OVER')) process.exitCode = 1
