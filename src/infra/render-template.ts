/** Writes a definition as templates of every dialect. */
import { OptionError, show } from '../core/option-error.ts'
import { type InfraDefinition, readDefinition } from './definition.ts'
import type { TemplateSource } from './read-template.ts'
import { renderCloudFormation, renderSamApi, renderSamAuth } from './render-cloudformation.ts'
import { renderTerraform } from './render-terraform.ts'

/**
 * Writes a user pool with its resource servers and machine clients, and publishes its id and ARN to SSM
 * parameters (`/name/user-pool-id`, `/name/user-pool-arn`). Every client waits for the resource servers
 * of its scopes. Reading what was written back gives the definition: {@link definitionOf}.
 *
 * @param dialect `cloudformation`: one template. `sam`: a pair, an auth stack, and an API stack that
 *   consumes the parameters and guards its API with every scope. `terraform`: one file.
 * @returns The files, their names relative to where they are put. Nothing is written.
 * @throws {OptionError} `ERR_OPTION_INVALID` where Cognito would refuse the definition.
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
    throw new OptionError('dialect', `is ${show(dialect)}: use cloudformation, sam or terraform`)
  }
  return [
    { file: 'auth.yaml', text: renderSamAuth(read) },
    { file: 'api.yaml', text: renderSamApi(read) },
  ]
}
