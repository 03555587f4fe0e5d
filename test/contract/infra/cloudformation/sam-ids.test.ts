/** References to resources that SAM generates, and missing transforms. */
import t from 'tap'
import { listFindings, read } from '../../../support/templates.ts'

const RESOURCES = `Resources:
  Orders:
    Type: AWS::Serverless::Function
    Connectors: { Table: { Properties: { Destination: { Id: Table }, Permissions: [Read] } } }
    Properties: { AutoPublishAlias: live, Events: { List: { Type: Api, Properties: { Path: /a, Method: get } } } }
  Computed: { Type: AWS::Serverless::Function, Properties: { Events: !If [A, {}, {}] } }
  Flow: { Type: AWS::Serverless::StateMachine, Properties: {} }
  Layer: { Type: AWS::Serverless::LayerVersion, Properties: {} }
  Table: { Type: AWS::Serverless::SimpleTable }
  Rest: { Type: AWS::Serverless::Api, Properties: { StageName: prod } }
  Dashed: { Type: AWS::Serverless::Api, Properties: { StageName: v-1 } }
  Chosen: { Type: AWS::Serverless::Api, Properties: { StageName: !Ref AWS::Region } }
  Http: { Type: AWS::Serverless::HttpApi }
  Graph: { Type: AWS::Serverless::GraphQLApi }
  Bucket: { Type: AWS::S3::Bucket }
  Untyped: {}
`
const listDangling = async (
  names: readonly string[],
  head = 'Transform: AWS::Serverless-2016-10-31\n',
) => {
  const outputs = names.map((name, index) => `  O${index}: { Value: !Ref '${name}' }\n`).join('')
  const { dangling } = await read('a.yaml', `${head}${RESOURCES}Outputs:\n${outputs}`)
  return dangling.map(({ name }) => name)
}

t.test('names of generated resources are references', async (t) => {
  const generated = [
    ...['OrdersRole', 'OrdersVersion0123456789', 'OrdersAliaslive', 'OrdersDeploymentGroup'],
    ...['OrdersUrl', 'OrdersUrlPublicPermissions', 'OrdersURLInvokeAllowPublicAccess'],
    ...['OrdersEventInvokeConfig', 'OrdersEventInvokeConfigOnSuccessQueue'],
    ...[
      'OrdersList',
      'OrdersListPermissionProd',
      'OrdersTablePolicy',
      'Orders.Alias',
      'Orders.Version',
    ],
    ...['ComputedAnything', 'FlowRole', 'FlowAliaslive', 'Layer0123456789'],
    ...[
      'RestprodStage',
      'RestDeployment0123456789',
      'RestBasePathMapping',
      'RestUsagePlan',
      'Rest.Stage',
    ],
    ...[
      'RestCognitoAuthorizerPermission',
      'DashedStage0123456789',
      'ChosenStage',
      'ChosenanyStage',
    ],
    ...['HttpApiGatewayDefaultStage', 'HttpdevStage', 'HttpdevApiMapping', 'GraphSchema'],
    ...['ServerlessRestApi', 'ServerlessHttpApi', 'ServerlessRestApiProdStage'],
    ...['ServerlessRestApiDeployment0123456789', 'ServerlessHttpApiApiGatewayDefaultStage'],
    ...['ServerlessDeploymentApplication', 'CodeDeployServiceRole', 'ServerlessRestApi.Stage'],
    ...[
      'ApiGatewayDomainName0123456789',
      'ApiGatewayDomainNameV20123456789',
      'RecordSetGroup0123456789',
    ],
  ]
  t.strictSame(await listDangling(generated), [])
})

t.test('other names with the same prefix are not', async (t) => {
  const unknown = [
    ...[
      'OrdersRol',
      'OrdersFunction',
      'OrdersVersion',
      'OrdersLst',
      'FlowList',
      'Layers',
      'Tables',
    ],
    ...[
      'ReststageStage',
      'DashedStage',
      'RestDeployment',
      'HttpApi',
      'BucketPolicy',
      'Bucket.Stage',
    ],
    ...['ServerlessApi', 'ServerlessRestApiDeployment', 'UntypedRole', 'Missing', 'Missing.Stage'],
  ]
  t.strictSame(await listDangling(unknown), unknown)
})

t.test(
  'a missing transform is reported once, and the template is read as if it were there',
  async (t) => {
    t.strictSame(await listDangling(['OrdersRole', 'OrdersRol'], ''), ['OrdersRol'])
    const text = `${RESOURCES}Outputs: { O: { Value: !GetAtt OrdersRole.Arn } }\n`
    const model = await read('a.yaml', text)
    t.strictSame([model.dialect, model.complete, model.routes.length], ['sam', true, 1])
    t.match(model.problems, [{ name: 'AWS::Serverless-2016-10-31', resource: 'Orders' }])
    t.strictSame(await listFindings({ 'a.yaml': text }), [
      'error transform-missing a.yaml: Orders:',
    ])
    const loop = `Resources:
  Pool: { Type: AWS::Cognito::UserPool }
  Fn::ForEach::Clients: [Name, [a], { '\${Name}': { Type: AWS::Cognito::UserPoolClient } }]
`
    t.strictSame(await listFindings({ 'a.yaml': loop }), [
      'error transform-missing a.yaml: Fn::ForEach::Clients: [Name',
    ])
    for (const [transform, resources] of [
      ['AWS::LanguageExtensions', loop],
      ['AWS::Serverless-2016-10-31', RESOURCES],
      ['[AWS::LanguageExtensions, AWS::Serverless-2016-10-31]', RESOURCES],
      ['OwnMacro', RESOURCES],
      ['OwnMacro', loop],
    ]) {
      const found = await listFindings({ 'a.yaml': `Transform: ${transform}\n${resources}` })
      t.strictSame(found, [], `${transform} ${resources?.slice(0, 40)}`)
    }
  },
)
