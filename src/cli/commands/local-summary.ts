/** What `local` says about the pool it started. */

import { printable } from '../../core/util/text.ts'
import type { LocalUserPool, PoolClient } from '../../testing/index.ts'
import type { Origin } from './local-template.ts'

type Origins = ReadonlyMap<string, Origin>

const isMachine = ({ oauth, flows }: PoolClient): boolean =>
  oauth && flows.includes('client_credentials')

type PluginOptions = Pick<
  ReturnType<LocalUserPool['options']>,
  'userPoolId' | 'clientId' | 'issuer'
>

/** Of one client, and where it stands in a template. */
interface ClientSummary extends Partial<Origin> {
  readonly clientId: string
  /** Left out of public clients, as they have none. */
  readonly clientSecret?: string
  readonly scopes: readonly string[]
}

interface Summary extends Pick<LocalUserPool, 'issuer' | 'jwksUri' | 'tokenEndpoint'> {
  /** Of `cognitoAuth` and `createResourceServer`, so that they accept this pool's tokens. */
  readonly options: PluginOptions
  readonly clients: readonly ClientSummary[]
}

export function summaryOf(pool: LocalUserPool, origins: Origins): Summary {
  const { issuer, jwksUri, tokenEndpoint, clients } = pool
  return {
    ...{ issuer, jwksUri, tokenEndpoint, options: pool.options() },
    clients: clients.map(({ clientId, clientSecrets: [clientSecret], scopes }) => ({
      clientId,
      ...(clientSecret === undefined ? {} : { clientSecret }),
      scopes,
      ...origins.get(clientId),
    })),
  }
}

export function describePool(pool: LocalUserPool, origins: Origins): string {
  const { issuer, jwksUri, tokenEndpoint, clients } = pool
  return `
  Local user pool  ${pool.userPoolId}
  issuer           ${issuer}
  key set          ${jwksUri}
  token endpoint   ${tokenEndpoint}

  options of cognitoAuth and createResourceServer
${optionsOf(pool)}
  client, secret, scopes
${clients.map(lineOf).join('')}${originsOf(pool, origins)}
${curlOf(pool)}
  For development and tests only. Ctrl-C ends it.
`
}

/** As JavaScript, to be pasted. What a pool's ids may be made of needs no escape. */
function optionsOf(pool: LocalUserPool): string {
  const { userPoolId, clientId, issuer } = pool.options()
  const quoted = (text: string): string => `'${text}'`
  return `  {
    userPoolId: ${quoted(userPoolId)},
    clientId: [${clientId.map(quoted).join(', ')}],
    issuer: ${quoted(issuer)},
  }
`
}

function lineOf(client: PoolClient): string {
  const { clientId, clientSecrets, scopes } = client
  const [secret = '(no secret)'] = clientSecrets
  const parts = [clientId, secret, scopes.join(' '), isMachine(client) ? '' : '(gets no token)']
  return `  ${parts.filter((part) => part !== '').join('  ')}\n`
}

function originsOf({ clients }: LocalUserPool, origins: Origins): string {
  const lines = clients.flatMap(({ clientId }) => {
    const { resource = '', at = '' } = origins.get(clientId) ?? {}
    return resource === '' ? [] : [`  ${clientId}  ${at}  ${printable(resource)}\n`]
  })
  return lines.length === 0 ? '' : `\n  client, template, resource\n${lines.join('')}`
}

function curlOf({ clients, tokenEndpoint }: LocalUserPool): string {
  const { clientId, clientSecrets } = clients.find(isMachine) ?? {}
  if (clientId === undefined || clientSecrets === undefined) {
    return '  No client here has OAuth on and the flow client_credentials: none gets a token.\n'
  }
  const quoted = `'${`${clientId}:${clientSecrets[0]}`.replaceAll("'", `'\\''`)}'`
  // Shells read [::1] as a pattern.
  const url = tokenEndpoint.includes('[') ? `'${tokenEndpoint}'` : tokenEndpoint
  return `  curl -s -u ${quoted} -d grant_type=client_credentials ${url}\n`
}
