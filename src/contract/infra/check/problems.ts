/** Findings about whole templates: repeated keys and missing transforms. */
import { toPrintable } from '../../../core/util/text.ts'
import type { InfraModel } from '../model/model.ts'
import { createFinding, type Finding } from './finding.ts'

export const checkProblems = ({ problems }: InfraModel): Finding[] =>
  problems.map(({ kind, at, name }) => {
    const text = toPrintable(name, 60)
    const subject = { resource: name }
    if (kind === 'transform') {
      const message = `the template uses the syntax of ${text} without the transform: CloudFormation rejects it`
      return createFinding(
        at,
        'error',
        'transform-missing',
        message,
        `add Transform: ${text}`,
        subject,
      )
    }
    const message = `the key ${text} is repeated: only the last value counts`
    return createFinding(at, 'error', 'key-repeated', message, 'remove one of the two', subject)
  })
