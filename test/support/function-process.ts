/**
 * Run as a separate process: the token proxy as a function, which responds once. Nothing ends the process.
 *
 * `node function-process.ts <token endpoint>`
 */
import { createTokenProxyHandler } from '../../src/tokens/proxy/lambda.ts'

const handler = createTokenProxyHandler({ tokenEndpoint: process.argv[2] as string })
const form = 'grant_type=client_credentials&client_id=billing&client_secret=secret'
const { statusCode } = await handler({
  version: '2.0',
  rawPath: '/oauth2/token',
  headers: { 'content-type': 'application/x-www-form-urlencoded' },
  body: Buffer.from(form).toString('base64'),
  isBase64Encoded: true,
  requestContext: { http: { method: 'POST', sourceIp: '127.0.0.1' } },
})
process.stdout.write(String(statusCode))
