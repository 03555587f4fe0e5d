/** Who may ask for tokens at all, beside having a secret: three ways to say it, to be copied. */
import { createHash, timingSafeEqual, X509Certificate } from 'node:crypto'
import { BlockList, isIP } from 'node:net'
import type { TLSSocket } from 'node:tls'
import type { FastifyRequest } from 'fastify'

type Authorize = (request: FastifyRequest) => boolean

/**
 * Callers with a client certificate of your authority, by its common name. The server asks for one:
 * `https: { key, cert, ca, requestCert: true, rejectUnauthorized: false }`; refused here, a caller
 * learns why, refused by TLS it sees a connection that broke off.
 */
export function mutualTls(names: readonly string[]): Authorize {
  const allowed = new Set(names)
  return ({ raw }) => {
    const socket = raw.socket as TLSSocket
    if (socket.authorized !== true) return false
    const { raw: bytes } = socket.getPeerCertificate()
    // Exactly one: of several names in a subject, two readers could choose two.
    const [, name, ...others] = new X509Certificate(bytes).subject.split(/^CN=(.*)$/m)
    return name !== undefined && others.length === 1 && allowed.has(name)
  }
}

/**
 * Callers with a key in `x-api-key`. Several keys at once let them be rotated. An empty key, say of a
 * variable that is not set, is refused: everybody has it.
 */
export function apiKey(keys: readonly string[]): Authorize {
  if (keys.includes('')) throw new Error('apiKey: expected keys, got an empty string')
  const digest = (key: string): Buffer => createHash('sha256').update(key).digest()
  const known = keys.map(digest)
  return ({ headers }) => {
    const key = headers['x-api-key']
    if (typeof key !== 'string') return false
    const given = digest(key)
    // All are compared, each for as long: the time taken tells nothing of any of them.
    return known.filter((it) => timingSafeEqual(it, given)).length > 0
  }
}

/**
 * Callers from these addresses: `10.0.0.0/8`, `2001:db8::/32`, or a single one. Behind a load balancer
 * an address is only true where Fastify's `trustProxy` names that balancer.
 */
export function addressList(subnets: readonly string[]): Authorize {
  const list = new BlockList()
  for (const subnet of subnets) {
    const [address = '', length] = subnet.split('/')
    const family = isIP(address) === 6 ? 'ipv6' : 'ipv4'
    if (length === undefined) list.addAddress(address, family)
    else list.addSubnet(address, Number(length), family)
  }
  return ({ ip }) => list.check(ip, isIP(ip) === 6 ? 'ipv6' : 'ipv4')
}
