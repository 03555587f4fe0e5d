/** A self-signed certificate for a key: what an attacker puts into `x5c`. Node makes none itself. */
import { type KeyObject, sign, X509Certificate } from 'node:crypto'

const SHA256_WITH_RSA = Buffer.from('300d06092a864886f70d01010b0500', 'hex')
const COMMON_NAME = Buffer.from('0603550403', 'hex')

/** DER: tag, length, content. */
function der(tag: number, ...parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts)
  const { length } = content
  const size = length < 0x80 ? [length] : [0x82, length >> 8, length & 0xff]
  return Buffer.concat([Buffer.from([tag, ...size]), content])
}

const sequence = (...parts: readonly Buffer[]) => der(0x30, ...parts)
const utcTime = (text: string) => der(0x17, Buffer.from(text))

/** @throws where what was built is no certificate of that key. */
export function certificateOf(pair: { publicKey: KeyObject; privateKey: KeyObject }): Buffer {
  const name = sequence(der(0x31, sequence(COMMON_NAME, der(0x0c, Buffer.from('cognito-idp')))))
  const body = sequence(
    der(0x02, Buffer.from([1])),
    SHA256_WITH_RSA,
    name,
    sequence(utcTime('200101000000Z'), utcTime('490101000000Z')),
    name,
    pair.publicKey.export({ type: 'spki', format: 'der' }),
  )
  const signature = sign('sha256', body, pair.privateKey)
  const made = sequence(body, SHA256_WITH_RSA, der(0x03, Buffer.from([0]), signature))
  if (!new X509Certificate(made).verify(pair.publicKey)) throw new Error('not of this key')
  return made
}
