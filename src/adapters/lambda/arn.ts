/** The ARN of a request: the one thing every kind of event has, and what a policy speaks about. */

/** `arn:aws:execute-api:region:account:api/stage/METHOD/path`, taken apart. */
export interface RequestArn {
  /** Everything up to the stage, which all routes of the API share. */
  readonly stage: string
  readonly method: string
  /** Begins with a slash. */
  readonly path: string
  /** The resource that names this request and no other. */
  readonly exact: string
}

const ARN = /^(arn:[^:/]+:execute-api:[^:/]*:[^:/]*:[^/]+\/[^/]+)\/([A-Z]+)((?:\/.*)?)$/s

/** Undefined for what is no request, say the `$connect` of a websocket. */
export function parseArn(arn: unknown): RequestArn | undefined {
  const [, stage, method, path] = (typeof arn === 'string' && ARN.exec(arn)) || []
  if (stage === undefined || method === undefined || path === undefined) return undefined
  return { stage, method, path: path || '/', exact: `${stage}/${method}${literal(path)}` }
}

/**
 * `*`, `?` and `${` of a caller's path would be wildcards and variables: IAM spells their literal
 * forms as variables.
 */
function literal(path: string): string {
  return path.replace(/[*?]|\$(?=\{)/g, (it) => `\${${it}}`)
}
