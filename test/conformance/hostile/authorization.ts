/** Every spelling of the Authorization header around a token that is good by itself. */
import { CLIENT } from '../../support/forge.ts'
import {
  type AcceptedCase,
  type Entry,
  GOOD,
  type HostileCase,
  lines,
  passing,
} from './hostile-case.ts'

const MISSING = 'ERR_TOKEN_MISSING'
const REQUEST = 'ERR_REQUEST_INVALID'
const basic = Buffer.from(`${CLIENT}:secret`).toString('base64')

function named(values: readonly string[]): Entry[] {
  return values.map((value) => [value.replaceAll(GOOD, '<token>').slice(0, 80), value])
}

const OTHER_SCHEMES = [
  ...[`Basic ${basic}`, `Basic ${Buffer.from(`x:${GOOD}`).toString('base64')}`, `Basic ${GOOD}`],
  ...[`DPoP ${GOOD}`, `Negotiate ${GOOD}`, `NTLM ${GOOD}`, `Token ${GOOD}`, `JWT ${GOOD}`],
  ...[`OAuth ${GOOD}`, `OAuth2 ${GOOD}`, `MAC ${GOOD}`, `Digest username="x", token="${GOOD}"`],
  ...[`PrivateToken token="${GOOD}"`, `GNAP ${GOOD}`, `HOBA result="${GOOD}"`, `Mutual ${GOOD}`],
  ...[`AWS4-HMAC-SHA256 Credential=${GOOD}`, `SCRAM-SHA-256 ${GOOD}`, `vapid t=${GOOD}`, GOOD],
  ...[`Bear ${GOOD}`, `Bearers ${GOOD}`, `Beare ${GOOD}`, `BearerToken ${GOOD}`, `Bearer_ ${GOOD}`],
  ...[
    `Bearer-Token ${GOOD}`,
    `Bearer2 ${GOOD}`,
    `Bearer+${GOOD}`,
    `Bearer${GOOD}`,
    `Bearer.${GOOD}`,
  ],
  ...[`Bearer%20${GOOD}`, `Bearer'${GOOD}'`, `Bearer*${GOOD}`, `Bearer~${GOOD}`, `Bearer! ${GOOD}`],
  ...[
    `"Bearer" ${GOOD}`,
    `"Bearer ${GOOD}"`,
    `<Bearer> ${GOOD}`,
    `(Bearer) ${GOOD}`,
    `,Bearer ${GOOD}`,
  ],
  ...[`, Bearer ${GOOD}`, `=Bearer ${GOOD}`, `:Bearer ${GOOD}`, `Authorization: Bearer ${GOOD}`],
  ...[`Basic ${basic}, Bearer ${GOOD}`, `Basic ${basic} Bearer ${GOOD}`, `x Bearer ${GOOD}`],
  ...[`%42earer ${GOOD}`, `B earer ${GOOD}`, `Be\u00e4rer ${GOOD}`, `\u00a0Bearer ${GOOD}`],
  ...[`token=${GOOD}`, `access_token=${GOOD}`, `null`, 'undefined', '[object Object]', '-', '0'],
  // No HTTP message carries these; a gateway's event or another framework might.
  ...[` Bearer ${GOOD}`, `\tBearer ${GOOD}`, `\nBearer ${GOOD}`, `\0Bearer ${GOOD}`, ' ', '\t'],
  ...[`\u0412earer ${GOOD}`, `B\u0435arer ${GOOD}`, `\uff22earer ${GOOD}`, `\ufeffBearer ${GOOD}`],
]

const NO_CREDENTIAL = [
  ...['Bearer', 'bearer', 'BEARER', `Bearer:${GOOD}`, `Bearer: ${GOOD}`, `Bearer=${GOOD}`],
  ...[`Bearer= ${GOOD}`, `Bearer/${GOOD}`, `Bearer"${GOOD}"`, `Bearer,${GOOD}`, `Bearer, ${GOOD}`],
  ...[`Bearer;${GOOD}`, `Bearer(${GOOD})`, `Bearer[${GOOD}]`, `Bearer{${GOOD}}`, `Bearer<${GOOD}>`],
  ...[`Bearer@${GOOD}`, `Bearer?${GOOD}`, `Bearer\\${GOOD}`, `Bearer\t${GOOD}`, `Bearer\t ${GOOD}`],
  ...[`Bearer \t${GOOD}`, `Bearer\u00a0${GOOD}`, `Bearer\u00e9 ${GOOD}`, `Bearer ${GOOD} ${GOOD}`],
  ...[`Bearer ${GOOD},${GOOD}`, `Bearer ${GOOD}, ${GOOD}`, `Bearer ${GOOD}, Bearer ${GOOD}`],
  ...[`Bearer ${GOOD}, Basic ${basic}`, `Bearer ${GOOD} Basic ${basic}`, `Bearer Bearer ${GOOD}`],
  ...[`Bearer ${GOOD},`, `Bearer ,${GOOD}`, `Bearer , ${GOOD}`, `Bearer ,`, `Bearer ${GOOD}\tx`],
  ...[`Bearer token ${GOOD}`, `Bearer ${GOOD} x`, `Bearer x ${GOOD}`, `Bearer ${GOOD} # comment`],
  ...[`Bearer realm="api", token="${GOOD}"`, `Bearer access_token=${GOOD}, scope=x`, 'Bearer a b'],
  ...[`Bearer {"token": "${GOOD}"}`, `Bearer [object Object]`, `Bearer ${GOOD}\u00a0`],
  ...[
    `Bearer ${GOOD}\u00a0x`,
    `Bearer ${GOOD.replace('.', ' .')}`,
    `Bearer ${GOOD.replace('.', ',')}`,
  ],
  ...['Bearer  ', 'Bearer\t', 'Bearer\n', `Bearer\n${GOOD}`, `Bearer\0${GOOD}`],
  ...[`Bearer ${GOOD} `, `Bearer ${GOOD}\n`, `Bearer ${GOOD}\r\nX: y`, `Bearer ${GOOD}\t`],
  ...[`Bearer ${GOOD}\u2028`, `Bearer\u3000${GOOD}`, `Bearer\u200b${GOOD}`, `Bearer ${GOOD}\ufeff`],
]

const NO_TOKEN = [
  ...[
    `Bearer "${GOOD}"`,
    `Bearer '${GOOD}'`,
    `Bearer <${GOOD}>`,
    `Bearer (${GOOD})`,
    `Bearer :${GOOD}`,
  ],
  ...[
    `Bearer =${GOOD}`,
    `Bearer token=${GOOD}`,
    `Bearer token="${GOOD}"`,
    `Bearer access_token=${GOOD}`,
  ],
  ...[
    `Bearer ${GOOD};`,
    `Bearer ${GOOD};q=1`,
    `Bearer ${GOOD}:`,
    `Bearer ${GOOD}=`,
    `Bearer ${GOOD}|x`,
  ],
  ...[`Bearer %65${GOOD.slice(1)}`, `Bearer ${GOOD.replaceAll('.', '%2e')}`, `Bearer ${GOOD}%00`],
  ...[`Bearer ${GOOD}%20`, `Bearer ${GOOD}#x`, `Bearer ${GOOD}?x`, `Bearer ${GOOD}&access_token=x`],
  ...['Bearer null', 'Bearer undefined', 'Bearer NaN', 'Bearer true', 'Bearer {}', 'Bearer []'],
  ...[
    'Bearer {{token}}',
    'Bearer $TOKEN',
    'Bearer <token>',
    'Bearer %s',
    'Bearer bearer',
    'Bearer -',
  ],
  ...[
    'Bearer *',
    'Bearer realm="api"',
    'Bearer error="invalid_token"',
    'Bearer Bearer',
    'Bearer =',
  ],
  ...[`Bearer ${basic}`, `Bearer Bearer:${GOOD}`, `Bearer {token:${GOOD}}`, `Bearer [${GOOD}]`],
  ...[`Bearer ${GOOD}\0`, `Bearer \0${GOOD}`, `Bearer ${GOOD}\x7f`, `Bearer ${GOOD}\u200b`],
]

function repeated(): Entry<readonly string[]>[] {
  const good = `Bearer ${GOOD}`
  return [
    ['good, good', [good, good]],
    ['good, garbage', [good, 'Bearer garbage']],
    ['garbage, good', ['Bearer garbage', good]],
    ['good, Basic', [good, `Basic ${basic}`]],
    ['Basic, good', [`Basic ${basic}`, good]],
    ['good, empty', [good, '']],
    ['empty, good', ['', good]],
    ['empty, empty', ['', '']],
    ['Basic, Basic', ['Basic eDp5', 'Basic eDp5']],
    ['scheme, token', ['Bearer', GOOD]],
    ['token in two halves', [`Bearer ${GOOD.slice(0, 300)}`, GOOD.slice(300)]],
    ['three good ones', [good, good, good]],
    ['good, bearer', [good, good.replace('B', 'b')]],
    ['garbage between', [good, 'x', good]],
    ['fifty', Array.from({ length: 50 }, () => 'Bearer x')],
    ['a thousand', Array.from({ length: 1000 }, () => good)],
  ]
}

export function authorizationCases(): HostileCase[] {
  const field = 'Authorization'
  return [
    ...lines({ clause: 'RFC 6750 §3.1', field, code: MISSING }, [
      ['no line', []],
      ['empty', ''],
      ['a single empty line', ['']],
    ]),
    ...lines({ clause: 'RFC 9110 §11.1', field, code: MISSING }, named(OTHER_SCHEMES)),
    ...lines({ clause: 'RFC 9110 §11.4', field, code: REQUEST }, named(NO_CREDENTIAL)),
    ...lines({ clause: 'RFC 6750 §2.1', field, code: 'ERR_TOKEN_INVALID' }, named(NO_TOKEN)),
    ...lines({ clause: 'RFC 9110 §5.3', field, code: REQUEST }, repeated()),
  ]
}

export function acceptedAuthorizations(): AcceptedCase[] {
  return passing({ clause: 'RFC 9110 §11.1', field: 'Authorization' }, [
    ...['bearer', 'BEARER', 'bEaReR'].map((scheme): Entry => [scheme, `${scheme} ${GOOD}`]),
    ['two blanks', `Bearer  ${GOOD}`],
    ['twenty blanks', `Bearer${' '.repeat(20)}${GOOD}`],
    ['one line as a list', [`Bearer ${GOOD}`]],
  ])
}
