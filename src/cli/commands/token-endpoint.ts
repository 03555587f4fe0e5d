/** Where tokens are had: as it was named, or as the issuer's discovery document names it. */

import { isLoopback, readSecureUrl } from '../../core/options/secure-url.ts'
import { OptionError, show } from '../../core/options/validate.ts'
import { printable } from '../../core/util/text.ts'
import {
  type ExchangeAnswer,
  type ExchangeError,
  exchange,
} from '../../tokens/oauth/bounded-exchange.ts'
import { readTokenEndpoint } from '../../tokens/oauth/token-endpoint.ts'
import { CommandFailure, EXIT } from '../exit-codes.ts'
import type { Terminal } from '../terminal/terminal.ts'
import { formsOf } from './explain/trust.ts'

/** Milliseconds the document may take. */
const TIMEOUT = 5000
/** Bytes of it; Cognito's have about 1,500. */
const MAX_BYTES = 64 * 1024

/** Ways to name a token endpoint, one of which is needed. */
export interface EndpointFlags {
  readonly tokenUrl?: string
  readonly domain?: string
  readonly issuer?: string
  readonly pool?: string
}

const NAMES = { tokenUrl: '--token-url', domain: '--domain', issuer: '--issuer', pool: '--pool' }

/**
 * The token endpoint's URL. What has to be asked first is told on standard error.
 *
 * @throws {OptionError} where it is named in no way, in two, or by what is no URL of it.
 * @throws {CommandFailure} where the document cannot be had or does not tell.
 */
export async function findTokenEndpoint(flags: EndpointFlags, terminal: Terminal): Promise<string> {
  const given = Object.keys(NAMES).filter((it) => flags[it as keyof EndpointFlags] !== undefined)
  const names = Object.values(NAMES).join(', ')
  if (given.length !== 1) {
    const [first = 'one'] = given.map((it) => NAMES[it as keyof typeof NAMES])
    throw new OptionError(
      given.length === 0 ? '--token-url' : first,
      given.length === 0
        ? `is missing: name the token endpoint by one of ${names}`
        : `does not stand alone: name the token endpoint by one of ${names}`,
    )
  }
  const { tokenUrl, domain, issuer, pool } = flags
  if (tokenUrl !== undefined) return readTokenEndpoint(tokenUrl, NAMES.tokenUrl).href
  if (domain !== undefined) return endpointOfDomain(domain)
  return discover(
    issuer === undefined ? formsOf(pool as string).map((form) => form.issuer) : [issuer],
    terminal,
  )
}

/** The hosted domain of a pool, Cognito's own or the owner's. */
function endpointOfDomain(domain: string): string {
  const url = readSecureUrl(domain, NAMES.domain)
  if (url.href !== `${url.origin}/`) {
    throw new OptionError(
      NAMES.domain,
      `is ${show(domain)}: pass scheme and host alone, or the whole endpoint as ${NAMES.tokenUrl}`,
    )
  }
  return `${url.origin}/oauth2/token`
}

/** The next issuer is asked only where the one before says that it is not the pool's. */
async function discover(
  [issuer, ...others]: readonly string[],
  terminal: Terminal,
): Promise<string> {
  const asked = readSecureUrl(issuer as string, NAMES.issuer)
  const url = `${(issuer as string).replace(/\/$/, '')}/.well-known/openid-configuration`
  terminal.err(`cognito-m2m: asking ${printable(url)} for the token endpoint\n`)
  const { status, body } = await ask(url, terminal)
  if ((status === 403 || status === 404) && others.length > 0) return discover(others, terminal)
  if (status !== 200) {
    throw new CommandFailure(
      EXIT.unavailable,
      `the discovery document cannot be had (status ${status}): check the issuer, or name the endpoint by ${NAMES.tokenUrl}`,
    )
  }
  return endpointIn(body, issuer as string, isLoopback(asked))
}

async function ask(url: string, { fetch, signal }: Terminal): Promise<ExchangeAnswer> {
  const headers = { accept: 'application/json' }
  try {
    return await exchange(
      url,
      { headers },
      { fetch, timeout: TIMEOUT, maxBytes: MAX_BYTES, signal },
    )
  } catch (error) {
    const { fault, errno } = error as ExchangeError
    if (fault === 'ended') throw new CommandFailure(EXIT.interrupted, 'interrupted')
    throw new CommandFailure(
      EXIT.unavailable,
      `the discovery document cannot be had (${errno ?? fault}): check the issuer, or name the endpoint by ${NAMES.tokenUrl}`,
    )
  }
}

/** A document of another issuer, or one that leads off to http, would get hold of the secret. */
function endpointIn(body: Buffer, issuer: string, isLocal: boolean): string {
  const document = parsed(body)
  if (document['issuer'] !== issuer) {
    throw new CommandFailure(EXIT.unavailable, 'the discovery document is of another issuer')
  }
  try {
    const url = readTokenEndpoint(document['token_endpoint'], 'token_endpoint')
    if (isLocal || url.protocol === 'https:') return url.href
  } catch {
    // Told below: what stands there is not repeated.
  }
  throw new CommandFailure(
    EXIT.unavailable,
    `the discovery document names no token endpoint to trust: a pool without a domain has none; else use ${NAMES.tokenUrl}`,
  )
}

function parsed(body: Buffer): Readonly<Record<string, unknown>> {
  try {
    return { ...JSON.parse(body.toString('utf8')) }
  } catch {
    return {}
  }
}
