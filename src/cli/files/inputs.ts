/** Finds names of parameters, variables and user pools that the user passes and no template has. They have no effect. */
import {
  listPoolNames,
  type PoolGroups,
  readPoolGroups,
} from '../../contract/infra/check/pool-names.ts'
import type { InfraModel } from '../../contract/infra/index.ts'
import type { TemplateInputs } from '../../contract/infra/read.ts'
import { describeValue, OptionError } from '../../core/options/validate.ts'
import { toPrintable } from '../../core/util/text.ts'
import { findNearest } from './distance.ts'

/** Names for which the user passes values. */
interface PassedNames {
  /** Names of `--parameter`. */
  readonly parameters: readonly string[]
  /** Names of `--var`. */
  readonly variables: readonly string[]
}

/** The pseudo parameters of CloudFormation that have a value. */
const PSEUDO_PARAMETERS: readonly string[] = [
  'AWS::AccountId',
  'AWS::NotificationARNs',
  'AWS::Partition',
  'AWS::Region',
  'AWS::StackId',
  'AWS::StackName',
  'AWS::URLSuffix',
]
const PARAMETER = 'a parameter that a template declares'
const VARIABLE = 'a variable that a Terraform module declares'
/** Longest name or file in a message, in characters. */
const MAX_SHOWN_LENGTH = 400

/**
 * Terraform rejects `--var` for an undeclared variable, and CloudFormation an undeclared parameter. One template that
 * declares the name is enough.
 *
 * @throws {OptionError} for the first name of the command line that no template declares.
 */
export function rejectUndeclared(
  inputs: readonly TemplateInputs[],
  { parameters, variables }: PassedNames,
): void {
  const declared = listParameters(inputs)
  for (const name of parameters) reject('--parameter', PARAMETER, name, declared)
  const declaredVariables = listVariables(inputs)
  for (const name of variables) reject('--var', VARIABLE, name, declaredVariables)
}

function reject(
  option: string,
  expected: string,
  name: string,
  declared: ReadonlySet<string>,
): void {
  if (declared.has(name)) return
  throw new OptionError(
    option,
    `expected ${expected}, got ${describeValue(name)}. ${suggest(name, declared, 'the option')}`,
  )
}

/**
 * Lists problems that are only warnings. In variable files, Terraform warns too. A configuration may have parameters of
 * templates that are not checked now.
 *
 * @param parameters Names of the configuration.
 * @returns One line for each: the place and the problem.
 */
export function listUndeclared(
  inputs: readonly TemplateInputs[],
  parameters: readonly string[],
): readonly string[] {
  const declared = listParameters(inputs)
  const ofConfig = parameters
    .filter((name) => !declared.has(name))
    .map((name) => {
      const fix = suggest(name, declared, 'the member')
      return `parameters.${toPrintable(name, MAX_SHOWN_LENGTH)}: expected ${PARAMETER}, got another name. ${fix}`
    })
  const variables = listVariables(inputs)
  const ofFiles = inputs
    .flatMap(({ undeclared }) => undeclared)
    .filter(
      ({ file, name }) =>
        !inputs.some((one) => one.model.files.includes(file) && one.declared.includes(name)),
    )
    .map(({ file, name }) => {
      const fix = suggest(name, variables, 'the value')
      return `${toPrintable(file, MAX_SHOWN_LENGTH)}: expected ${VARIABLE}, got ${describeValue(name)}. ${fix}`
    })
  return [...new Set([...ofConfig, ...ofFiles])]
}

/** Lists the names in `pools` of the configuration that no template has, one line for each. */
export function listUnknownPools(
  models: readonly InfraModel[],
  pools: PoolGroups,
): readonly string[] {
  const known = listPoolNames(models)
  return readPoolGroups(pools, 'pools').flatMap((group, index) =>
    group.flatMap((name, position) =>
      known.has(name)
        ? []
        : [
            `pools[${index}][${position}]: expected a name of a user pool in the templates, got ${describeValue(name)}. ${suggest(name, known, 'the name')}`,
          ],
    ),
  )
}

function suggest(name: string, candidates: Iterable<string>, what: string): string {
  const nearest = findNearest(name, candidates)
  return nearest === undefined
    ? `Correct the name, or remove ${what}.`
    : `Write ${describeValue(nearest)}, or remove ${what}.`
}

function listParameters(inputs: readonly TemplateInputs[]): ReadonlySet<string> {
  const declared = new Set(inputs.flatMap((one) => one.declared))
  const isTerraform = inputs.every(({ model }) => model.dialect === 'terraform')
  return isTerraform ? declared : new Set([...declared, ...PSEUDO_PARAMETERS])
}

const listVariables = (inputs: readonly TemplateInputs[]): ReadonlySet<string> =>
  new Set(
    inputs.filter(({ model }) => model.dialect === 'terraform').flatMap((one) => one.declared),
  )
