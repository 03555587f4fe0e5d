/** AWS partitions: their Regions, and the domain of the hosts in these Regions. */

/** One partition. */
export interface Partition {
  readonly name: string
  readonly regions: RegExp
  readonly suffix: string
}

/** The Region of generated user pools. It matches the pattern of AWS's Regions and exists nowhere. */
export const LOCAL_REGION = 'xx-local-1'

/**
 * From botocore's partitions.json, August 2026. aws-jwt-verify 5.2 derives `amazonaws.com` for every
 * partition, so it cannot be the source.
 */
const PARTITIONS: readonly Partition[] = [
  {
    name: 'aws',
    regions: /^(?:us|eu|ap|sa|ca|me|af|il|mx)-[a-z]+-\d{1,2}$/,
    suffix: 'amazonaws.com',
  },
  { name: 'aws-cn', regions: /^cn-[a-z]+-\d{1,2}$/, suffix: 'amazonaws.com.cn' },
  { name: 'aws-eusc', regions: /^eusc-de-[a-z]+-\d{1,2}$/, suffix: 'amazonaws.eu' },
  { name: 'aws-us-gov', regions: /^us-gov-[a-z]+-\d{1,2}$/, suffix: 'amazonaws.com' },
  { name: 'aws-iso', regions: /^us-iso-[a-z]+-\d{1,2}$/, suffix: 'c2s.ic.gov' },
  { name: 'aws-iso-b', regions: /^us-isob-[a-z]+-\d{1,2}$/, suffix: 'sc2s.sgov.gov' },
  { name: 'aws-iso-e', regions: /^eu-isoe-[a-z]+-\d{1,2}$/, suffix: 'cloud.adc-e.uk' },
  { name: 'aws-iso-f', regions: /^us-isof-[a-z]+-\d{1,2}$/, suffix: 'csp.hci.ic.gov' },
  // Tokens of a generated pool look like those of a real one.
  { name: 'local', regions: /^xx-local-1$/, suffix: 'amazonaws.com' },
]

const USER_POOL_ID = /^([a-z0-9-]+)_[0-9A-Za-z]+$/

/** The partition that a Region belongs to; undefined for an unknown Region. */
export function findPartition(region: string): Partition | undefined {
  return PARTITIONS.find(({ regions }) => regions.test(region))
}

/** The Region in a user pool ID; undefined for a malformed ID. */
export function getRegion(userPoolId: string): string | undefined {
  return USER_POOL_ID.exec(userPoolId)?.[1]
}

/** Both issuers that Cognito uses for a pool in one of its Regions: the original form, the updated form. */
export function deriveIssuers(
  userPoolId: string,
  region: string,
  { suffix }: Partition,
): readonly [original: string, updated: string] {
  const host = `cognito-idp.${region}.${suffix}`
  return [`https://${host}/${userPoolId}`, `https://issuer-${host}/${userPoolId}`]
}

/**
 * Whether a host is one of AWS, in any spelling that a URL can have: `amazonaws` or `amazoncognito` as a label,
 * or the domain of a partition.
 *
 * @param hostname As `URL` has it.
 */
export function isAwsHost(hostname: string): boolean {
  // A trailing dot leads to the same host.
  const host = `.${hostname.toLowerCase().replace(/\.+$/, '')}.`
  const isNamed = host.includes('.amazonaws.') || host.includes('.amazoncognito.')
  return isNamed || PARTITIONS.some(({ suffix }) => host.endsWith(`.${suffix}.`))
}
