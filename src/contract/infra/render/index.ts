/** Writes a definition as templates of every dialect. */
import { describeValue, OptionError } from '../../../core/options/validate.ts'
import { type InfraDefinition, readDefinition } from '../definition/definition.ts'
import type { TemplateSource } from '../read.ts'
import { renderCloudFormation } from './cloudformation.ts'
import { renderSamApi, renderSamAuth } from './sam.ts'
import { renderTerraform } from './terraform.ts'

/**
 * Writes a user pool with its resource servers and machine clients, and where the definition has one, the
 * API that admits them. The pool's id and ARN are published to SSM parameters (`/name/user-pool-id`,
 * `/name/user-pool-arn`), its clients' ids for an HTTP API too (`/name/client-ids`). Every client waits for
 * the resource servers of its scopes. No output holds a secret. Resources are named after what they stand
 * for, so that adding or removing one leaves all others alone; the same definition is the same text.
 *
 * The pool is kept when its stack goes, and protected from deletion. An API forwards what it admits to a
 * backend whose URL is a parameter of the template: `BackendUrl`, in Terraform `backend_url`.
 *
 * Reading what was written back gives the definition: {@link readDefinition}.
 *
 * @param dialect `cloudformation`: one template. `sam`: an auth stack, and where there is an API, an API
 *   stack that consumes the parameters; the auth stack is deployed first. `terraform`: one file.
 * @returns The files, their names relative to where they are put. Nothing is written.
 * @throws {OptionError} `ERR_OPTION_INVALID` naming the member that Cognito, API Gateway or CloudFormation
 *   would refuse.
 */
export function renderTemplate(
  definition: InfraDefinition,
  dialect: 'cloudformation' | 'sam' | 'terraform',
): readonly TemplateSource[] {
  const read = readDefinition(definition)
  if (dialect === 'cloudformation') {
    return [{ file: 'template.yaml', text: renderCloudFormation(read) }]
  }
  if (dialect === 'terraform') return [{ file: 'main.tf', text: renderTerraform(read) }]
  if (dialect !== 'sam') {
    throw new OptionError(
      'dialect',
      `expected cloudformation, sam or terraform, got ${describeValue(dialect)}. Change the dialect.`,
    )
  }
  const auth = { file: 'auth.yaml', text: renderSamAuth(read) }
  if (read.api === undefined) return [auth]
  return [auth, { file: 'api.yaml', text: renderSamApi(read, read.api) }]
}
