/** Templates in which each of many resources waits for many resource servers: no list grows with their product. */
import t from 'tap'
import { checkScopes, type InfraModel, readTemplate } from '../../../src/contract/infra/index.ts'

const COUNT = 1_500
/** More than the awaited resource servers of real templates, and far less than COUNT * COUNT. */
const MAX_IDS = 1_100_000
const indexes = Array.from({ length: COUNT }, (_, index) => index)

const countIds = ({ clients, resourceServers }: InfraModel): number =>
  [...clients, ...resourceServers].reduce((sum, { dependsOn }) => sum + dependsOn.length, 0)

const listOrder = (model: InfraModel) =>
  checkScopes(model).filter(({ code }) => code === 'scope-order')

t.test('a CloudFormation template', async (t) => {
  const text = `Resources:
  Pool: { Type: AWS::Cognito::UserPool }
  Wait: { Type: AWS::X::Y, DependsOn: [${indexes.map((index) => `S${index}`)}] }
${indexes
  .map(
    (
      index,
    ) => `  S${index}: { Type: AWS::Cognito::UserPoolResourceServer, Properties: { UserPoolId: !Ref Pool, Identifier: s${index}, Scopes: [{ ScopeName: r, ScopeDescription: d }] } }
  C${index}: { Type: AWS::Cognito::UserPoolClient, DependsOn: Wait, Properties: { UserPoolId: !Ref Pool, AllowedOAuthScopes: [s${index}/r] } }
`,
  )
  .join('')}`
  const model = await readTemplate({ file: 'a.yaml', text })
  t.equal(model.clients.length, COUNT)
  t.ok(countIds(model) < MAX_IDS, `${countIds(model)} ids`)
  t.strictSame(listOrder(model), [], 'what was not searched is no finding')
})

const SERVER = 'aws_cognito_resource_server'
const CLIENT = 'aws_cognito_user_pool_client'

/** Builds a plan whose clients have the configuration. */
function readPlan(configuration: object, more: readonly object[] = []): Promise<InfraModel> {
  const resource = (type: string, index: number, values: object) => ({
    address: `${type}.x${index}`,
    mode: 'managed',
    type,
    name: `x${index}`,
    values,
  })
  const scope = [{ scope_name: 'r', scope_description: 'd' }]
  const text = JSON.stringify({
    format_version: '1.2',
    planned_values: {
      root_module: {
        resources: indexes.flatMap((index) => [
          resource(SERVER, index, { user_pool_id: 'eu-west-1_A', identifier: `s${index}`, scope }),
          resource(CLIENT, index, {
            user_pool_id: 'eu-west-1_A',
            allowed_oauth_scopes: [`s${index}/r`],
          }),
        ]),
      },
    },
    configuration: {
      root_module: {
        resources: [
          ...indexes.map((index) => ({ address: `${SERVER}.x${index}` })),
          ...indexes.map((index) => ({ address: `${CLIENT}.x${index}`, ...configuration })),
          ...more,
        ],
      },
    },
  })
  return readTemplate({ file: 'plan.json', text })
}

t.test('a plan', async (t) => {
  const sleep = {
    address: 'time_sleep.w',
    depends_on: indexes.map((index) => `${SERVER}.x${index}`),
  }
  for (const [configuration, more] of [
    [{ expressions: { name: { references: ['local.x'] } } }, []],
    [{ depends_on: ['time_sleep.w'] }, [sleep]],
  ] as const) {
    const model = await readPlan(configuration, more)
    t.equal(model.clients.length, COUNT)
    t.ok(countIds(model) < MAX_IDS, `${countIds(model)} ids`)
    t.strictSame(listOrder(model), [])
  }
  t.equal(listOrder(await readPlan({ expressions: { x: {} } })).length, COUNT, 'no dependencies')
})

t.test('a list with many unknown items and many references', async (t) => {
  const many = 10_000
  const references = Array.from({ length: many }, (_, index) => `${SERVER}.x${index % COUNT}.id`)
  const text = JSON.stringify({
    format_version: '1.2',
    planned_values: {
      root_module: {
        resources: indexes.map((index) => ({
          address: `${SERVER}.x${index}`,
          mode: 'managed',
          type: SERVER,
          name: `x${index}`,
          values: index === 0 ? { scope: Array(many).fill({}) } : {},
        })),
      },
    },
    resource_changes: [
      {
        address: `${SERVER}.x0`,
        change: { after_unknown: { scope: Array(many).fill({ scope_name: true }) } },
      },
    ],
    configuration: {
      root_module: {
        resources: [{ address: `${SERVER}.x0`, expressions: { scope: { references } } }],
      },
    },
  })
  const start = process.cpuUsage()
  const { resourceServers } = await readTemplate({ file: 'plan.json', text })
  const seconds = process.cpuUsage(start).user / 1e6
  t.equal(resourceServers.length, COUNT)
  t.ok(seconds < 10, `${seconds} s`)
})
