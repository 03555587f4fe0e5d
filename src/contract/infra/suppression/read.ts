/** Reads the suppressions of templates. */
import { TemplateError } from '../position.ts'
import { listHclComments } from './hcl.ts'
import { MARKER, parseComment, type Suppression } from './suppression.ts'
import { listMetadataSuppressions, listYamlComments } from './yaml.ts'

/** Most suppressions of a template. Each one is compared with each finding. */
const MAX_SUPPRESSIONS = 1_000

/**
 * Reads the suppressions of files that were read as templates before. Files without one are not parsed again.
 *
 * @throws {TemplateError} `ERR_TEMPLATE_INVALID` if there are too many.
 */
export async function readSuppressions(
  sources: readonly { readonly file: string; readonly text: string }[],
): Promise<readonly Suppression[]> {
  const found: Suppression[] = []
  for (const { file, text } of sources) {
    if (!text.includes('cognito-m2m')) continue
    const hcl = /\.(?:tf|tofu|tfvars)$/i.test(file)
    if (!hcl) found.push(...(await listMetadataSuppressions(file, text)))
    if (text.includes(MARKER)) {
      const comments = await (hcl ? listHclComments(file, text) : listYamlComments(file, text))
      found.push(...comments.map(parseComment).filter((one) => one !== undefined))
    }
    const surplus = found[MAX_SUPPRESSIONS]
    if (surplus === undefined) continue
    const problem = `expected at most ${MAX_SUPPRESSIONS} suppressions, got more. Use a baseline.`
    throw new TemplateError(surplus.at, problem)
  }
  return found
}
