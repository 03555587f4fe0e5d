/** The harness itself: what it is to write down is written down. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import t, { type Test } from 'tap'
import { launchChromium, visit, withoutChromium } from './chromium.ts'

async function serve(t: Test, headers: Record<string, string>, body: string): Promise<string> {
  const server = createServer((_request, response) => {
    response.writeHead(200, { 'content-type': 'text/html', ...headers }).end(body)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => server.close())
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
}

t.test('a browser', { skip: withoutChromium }, async (t) => {
  const browser = await launchChromium(t)

  t.test('reports requests that a policy blocked', async (t) => {
    const policy = { 'content-security-policy': "default-src 'self'; script-src 'none'" }
    const address = await serve(t, policy, '<p style="color: red">a</p><script>1</script>')
    const { violations } = await visit(t, browser, address)
    t.ok(violations.some((it) => it.startsWith('style-src')))
    t.ok(violations.some((it) => it.startsWith('script-src')))
  })

  t.test('reports errors and every request', async (t) => {
    const script = 'console.error("told"); fetch("http://127.0.0.1:1/away"); thrown()'
    const address = await serve(t, {}, `<script>${script}</script>`)
    const { page, errors, requests } = await visit(t, browser, address)
    await page.waitForNetworkIdle()
    t.ok(errors.includes('told'))
    t.ok(errors.some((it) => it.includes('thrown is not defined')))
    t.strictSame(requests.slice(0, 1), [address])
    t.ok(requests.includes('http://127.0.0.1:1/away'))
  })

  t.test('uses the emulated media settings', async (t) => {
    const address = await serve(t, {}, '<p>a</p>')
    const { page } = await visit(t, browser, address, {
      width: 360,
      colorScheme: 'dark',
      timezone: 'Asia/Tokyo',
    })
    t.strictSame(
      await page.evaluate(
        `[innerWidth, matchMedia('(prefers-color-scheme: dark)').matches, new Date(0).getHours()]`,
      ),
      [360, true, 9],
    )
  })
})
