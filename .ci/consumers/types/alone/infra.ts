/** Templates: read, checked, rendered. */
import { checkScopes, type Finding, readTemplate, renderTemplate } from 'cognito-m2m/infra'
export const found: Promise<readonly Finding[]> = readTemplate({ file: 'a.yaml', text: '' }).then(
  (model) => checkScopes(model),
)
// @ts-expect-error an unknown dialect
renderTemplate({ name: 'a', resourceServers: [], clients: [] }, 'pulumi')
