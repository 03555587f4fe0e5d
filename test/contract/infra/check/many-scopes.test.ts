/** Many clients with many scopes that are known in part: the work grows with the template, not with its square. */
import t from 'tap'
import {
  checkCoverage,
  checkScopes,
  type InfraModel,
} from '../../../../src/contract/infra/index.ts'
import { read } from '../../../support/templates.ts'

const SCOPES = 50
const numbers = (count: number) => Array.from({ length: count }, (_, index) => index)
const list = (count: number, write: (index: number) => string) =>
  numbers(count).map(write).join(', ')

/** A template with that many resource servers and clients, whose identifiers and names depend on parameters. */
function template(count: number): string {
  const parameters = numbers(count).map((index) => `  A${index}: { Type: String }`)
  const servers = numbers(count).map((server) => {
    const scopes = list(
      SCOPES,
      (index) => `{ ScopeName: !Sub 'r\${A${index % count}}z', ScopeDescription: d }`,
    )
    const identifier = `!Sub 'x\${A${server}}-\${A${(server + 1) % count}}y'`
    return `  S${server}: { Type: AWS::Cognito::UserPoolResourceServer, Properties: { UserPoolId: !Ref P, Identifier: ${identifier}, Name: x, Scopes: [${scopes}] } }`
  })
  const clients = numbers(count).map((client) => {
    const scopes = list(
      SCOPES,
      (index) => `!Sub 'x\${A${index % count}}-\${A${index % count}}y/r\${A${index % count}}q'`,
    )
    return `  C${client}: { Type: AWS::Cognito::UserPoolClient, Properties: { UserPoolId: !Ref P, GenerateSecret: true, AllowedOAuthFlowsUserPoolClient: true, AllowedOAuthFlows: [client_credentials], AllowedOAuthScopes: [${scopes}] } }`
  })
  return `Parameters:
${parameters.join('\n')}
Resources:
  P: { Type: AWS::Cognito::UserPool }
${[...servers, ...clients].join('\n')}
`
}

/** Seconds of processor time, the best of three runs. */
function measure(model: InfraModel): number {
  const seconds = numbers(3).map(() => {
    const start = process.cpuUsage()
    checkScopes(model)
    checkCoverage(model)
    const { user, system } = process.cpuUsage(start)
    return (user + system) / 1_000_000
  })
  return Math.min(...seconds)
}

t.test('four times as many clients take less than ten times as long', async (t) => {
  const [small, large] = [
    measure(await read('a.yaml', template(40))),
    measure(await read('a.yaml', template(160))),
  ]
  const ratio = large / small
  t.ok(ratio < 10, `${small} s and ${large} s: ${ratio} times`)
})
