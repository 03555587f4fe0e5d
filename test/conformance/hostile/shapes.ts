/** Other serializations of JOSE, and other numbers of dots. */
import { constants, publicEncrypt } from 'node:crypto'
import { encode, keyPair } from '../../support/forge.ts'
import {
  type Entry,
  GOOD,
  GOOD_HEADER,
  GOOD_PAYLOAD,
  GOOD_SIGNATURE,
  HEADER,
  type HostileCase,
  lines,
  signedParts,
  tokens,
  withPayload,
} from './hostile-case.ts'

const INVALID = 'ERR_TOKEN_INVALID'

export function shapeCases(): HostileCase[] {
  const [h, p, s] = [GOOD_HEADER, GOOD_PAYLOAD, GOOD_SIGNATURE]
  const flattened = JSON.stringify({ payload: p, protected: h, signature: s })
  const general = JSON.stringify({ payload: p, signatures: [{ protected: h, signature: s }] })
  const oaep = { key: keyPair().publicKey, padding: constants.RSA_PKCS1_OAEP_PADDING }
  const cek = encode(publicEncrypt(oaep, Buffer.alloc(32)))
  const jwe = (alg: string) =>
    `${encode({ ...HEADER, alg, enc: 'A256GCM' })}.${cek}.AAAAAAAAAAAAAAAA.${p}.AAAAAAAAAAAAAAAAAAAAAA`
  const dots = ['.', '..', '...', '....', '.....', `.${h}`]
  const empties = [`${h}..${s}`, `..${s}`, `${h}..`, `.${p}.`, `${h}.${s}`]
  const many = [
    `.${GOOD}`,
    `${GOOD}.`,
    `${GOOD}..`,
    `${GOOD}.${s}`,
    `${GOOD}.${s}.${s}`,
    `${GOOD}.${GOOD}`,
  ]
  const wrapped = [
    `${GOOD}....`,
    `${h}.${p}..${s}`,
    `${h}..${p}.${s}`,
    `${h}.${p}.${s}.${p}.${s}.${h}`,
  ]
  return [
    ...tokens({ clause: 'RFC 7515 §7.1', field: 'dots', code: INVALID }, [
      ...[...dots, ...empties, ...many, ...wrapped].map((token, index): Entry => {
        return [`${token.split('.').length - 1} dots, form ${index}`, token]
      }),
    ]),
    ...tokens({ clause: 'RFC 7516 §7.1', field: 'JWE', code: INVALID }, [
      ...['RSA-OAEP', 'RSA1_5', 'dir', 'RS256'].map(
        (alg): Entry => [`five parts, ${alg}`, jwe(alg)],
      ),
    ]),
    ...tokens({ clause: 'RFC 7519 §5.2', field: 'nested', code: INVALID }, [
      ['a token as payload', signedParts(encode({ ...HEADER, cty: 'JWT' }), encode(GOOD))],
      [
        'a token as a JSON string',
        signedParts(encode({ ...HEADER, cty: 'JWT' }), encode(JSON.stringify(GOOD))),
      ],
    ]),
    ...tokens({ clause: 'RFC 7515 §7.2', field: 'serialization', code: INVALID }, [
      ['flattened, encoded', encode(flattened)],
      ['general, encoded', encode(general)],
      ['flattened as payload', withPayload(flattened)],
      ['a single member', JSON.stringify({ token: GOOD })],
    ]),
    ...lines({ clause: 'RFC 7515 §7.2', field: 'serialization', code: 'ERR_REQUEST_INVALID' }, [
      ['flattened', `Bearer ${flattened}`],
      ['general', `Bearer ${general}`],
      ['flattened with blanks', `Bearer ${flattened.replace(/,/g, ', ')}`],
    ]),
  ]
}
