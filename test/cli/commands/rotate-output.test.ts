/** Each request of a rotation fails once, with a message that quotes the input. No output has a secret. */
import { text } from 'node:stream/consumers'
import t, { type Test } from 'tap'
import { serveAws } from '../../support/aws-fakes.ts'
import { serve } from '../../support/client.ts'
import { NAME, SECRET_ID, setUpRotate } from '../../support/rotate-cli.ts'
import { FIRST_SECRET } from '../../support/rotation.ts'
import { run } from '../../support/run-cli.ts'

const { fetch } = globalThis

/** Forwards requests, and fails one of them. Collects everything that looks like a secret. */
class Fault {
  /** Number of the request that fails. */
  readonly index: number
  readonly status: number
  readonly secrets = new Set<string>([FIRST_SECRET])
  count = 0

  constructor(index: number, status: number) {
    this.index = index
    this.status = status
  }

  serve(t: Test, target: string): Promise<string> {
    return serve(t, async (request, response) => {
      const body = await text(request)
      for (const secret of body.match(/[\da-f]{64}/g) ?? []) this.secrets.add(secret)
      this.count += 1
      if (this.count - 1 === this.index) {
        response.writeHead(this.status, { 'content-type': 'application/x-amz-json-1.1' })
        response.end(JSON.stringify({ __type: 'ValidationException', message: body }))
        return
      }
      const { host: _, connection: __, 'content-length': ___, ...headers } = request.headers
      const answer = await fetch(`${target}${request.url}`, {
        method: 'POST',
        headers: headers as Record<string, string>,
        body,
      })
      response.writeHead(answer.status, { 'content-type': 'application/x-amz-json-1.1' })
      response.end(Buffer.from(await answer.arrayBuffer()))
    })
  }
}

/** More than the requests of a rotation with either store. */
const MAX_REQUESTS = 40

for (const store of [`secretsmanager:${SECRET_ID}`, `ssm:${NAME}`]) {
  t.test(store, async (t) => {
    let failures = 0
    for (let index = 0; index < MAX_REQUESTS; index += 1) {
      const fault = new Fault(index, index % 2 === 0 ? 400 : 403)
      const serveStore: typeof serveAws = async (t, fake) => fault.serve(t, await serveAws(t, fake))
      const { pool, args } = await setUpRotate(t, serveStore)
      const endpoint = await fault.serve(t, pool.userPoolsApi.endpoint)
      const json = index % 3 === 0 ? ['--json'] : []
      const all = [...args.with(6, endpoint), '--store', store, ...json]
      const { code, out, err } = await run(all, { fetch })
      const hasFailed = fault.count > index
      t.equal(code, hasFailed ? 1 : 0, `request ${index}: ${err}`)
      if (!hasFailed) break
      failures += 1
      const resumed = await run(all, { fetch })
      t.equal(resumed.code, 0, resumed.err)
      t.ok(fault.secrets.size > 1)
      for (const secret of fault.secrets) {
        t.notOk(`${out}${err}${resumed.out}${resumed.err}`.includes(secret), `request ${index}`)
      }
    }
    t.ok(failures > 10, `${failures} requests failed`)
    t.ok(failures < MAX_REQUESTS, 'a run without a failure ends the test')
  })
}
