/** Options of `cognito-m2m usage`, by the names of commander. */
export interface UsageFlags {
  readonly data?: string
  readonly maxBytes?: string
  readonly counted?: string
  readonly price?: string
  readonly clients?: string
  readonly template?: readonly string[]
  readonly parameter?: readonly string[]
  readonly from?: string
  readonly to?: string
  readonly by?: string
  readonly group?: string
  readonly quota?: string
  readonly compare?: true
  readonly json?: true
  readonly csv?: true
}
