/** `renderTemplate`: writes a definition as templates of each dialect. */
import { describeValue, OptionError } from '../../../core/options/validate.ts'
import { type InfraDefinition, readDefinition } from '../definition/definition.ts'
import type { TemplateSource } from '../read.ts'
import { renderCloudFormation } from './cloudformation.ts'
import { renderSamApi, renderSamAuth } from './sam.ts'
import { renderTerraform } from './terraform.ts'

/**
 * Renders templates for a user pool with its resource servers and machine clients, and for the APIs of the definition.
 *
 * - The pool is protected from deletion, and is retained when its stack is deleted.
 * - SSM parameters publish the id and the ARN of the pool: `/name/user-pool-id` and `/name/user-pool-arn`. With an HTTP
 *   API, `/name/client-id/client` publishes the id of each client. With a stage, it follows the name.
 * - Each client depends on the resource servers of its scopes, and signs no user in.
 * - No output contains a secret.
 * - Each API forwards accepted requests to a backend. Its URL is a parameter: for the API `orders`, it is
 *   `ApiOrdersBackendUrl`, in Terraform `orders_backend_url`, and in SAM `BackendUrl`.
 *
 * The same definition gives the same text. Names of resources derive from the definition, so adding or removing a
 * resource renames no other. `toDefinition` converts the templates back to the definition.
 *
 * @example
 * ```ts
 * for (const { file, text } of renderTemplate(definition, 'terraform')) await writeFile(file, text)
 * ```
 *
 * @param definition The user pool, its clients and its APIs.
 * @param dialect `cloudformation` is one template and `terraform` is one file. `sam` is an auth stack, plus a stack of each
 *   API that reads its SSM parameters. Deploy the auth stack first.
 * @returns The files: `template.yaml`, `main.tf`, or `auth.yaml` and `api.yaml` (several: `api-NAME.yaml`). The function
 *   writes no file.
 * @throws {OptionError} `ERR_OPTION_INVALID` with the path of a member that Cognito, API Gateway, SSM or CloudFormation
 *   would reject.
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
      `expected cloudformation, sam or terraform, got ${describeValue(dialect)}. Choose one of these dialects.`,
    )
  }
  const { apis } = read
  return [
    { file: 'auth.yaml', text: renderSamAuth(read) },
    ...apis.map((api) => {
      const file = apis.length === 1 ? 'api.yaml' : `api-${api.name}.yaml`
      return { file, text: renderSamApi(api, read) }
    }),
  ]
}
