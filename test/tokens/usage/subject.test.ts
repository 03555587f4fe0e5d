/** Keys of subjects: unique for each app client, in a cache of limited size. */
import t from 'tap'
import { createSubjectCache, parseSubject } from '../../../src/tokens/usage/events.ts'
import { createTelemetry, type MetricsApi } from '../../../src/tokens/usage/telemetry.ts'

t.test('a key is unique and can be parsed, cached or not', (t) => {
  const subjectOf = createSubjectCache()
  const names = ['a', 'a,b', '"', '["a"]', '\\', '__proto__', '\ud800']
  const seen = new Set<string>()
  for (let round = 0; round < 2; round += 1) {
    for (const userPoolId of names) {
      for (const clientId of names) {
        const subject = subjectOf(userPoolId, clientId)
        seen.add(subject)
        t.strictSame(parseSubject(subject), { kind: 'client', userPoolId, clientId })
      }
    }
  }
  t.equal(seen.size, names.length ** 2)
  t.end()
})

t.test('clients beyond the size of the cache have the same keys', (t) => {
  const subjectOf = createSubjectCache()
  const counts = new Map<string, number>()
  const counter = {
    add: (_: number, attributes: Record<string, string>) => {
      const id = attributes['cognito_m2m.client_id'] as string
      counts.set(id, (counts.get(id) ?? 0) + 1)
    },
  }
  const provider = { getMeter: () => ({ createCounter: () => counter }) }
  const tell = createTelemetry({ metrics: { getMeterProvider: () => provider } } as MetricsApi)
  for (let round = 0; round < 2; round += 1) {
    for (let index = 0; index <= 10_000; index += 1) {
      tell('token', subjectOf('p', `c${index}`), 'issued')
    }
  }
  t.equal(counts.size, 10_001)
  t.ok([...counts.values()].every((count) => count === 2))
  t.equal(subjectOf('p', 'c0'), '["p","c0"]')
  t.end()
})
