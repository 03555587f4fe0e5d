/** The tools, prompts and resources that the scenarios of @modelcontextprotocol/conformance expect of a server. */
import type { Tool } from '@modelcontextprotocol/sdk/types.js'

/** One pixel, and the header of a sound without samples. */
const PNG =
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=='
const WAV = 'UklGRiQAAABXQVZFZm10IBAAAAABAAEAQB8AAEAfAAABAAgAZGF0YQAAAAA='

export const text = (text: string) => ({ type: 'text' as const, text })
const image = { type: 'image' as const, data: PNG, mimeType: 'image/png' }
const resource = (uri: string, mimeType: string, text: string) => ({
  type: 'resource' as const,
  resource: { uri, mimeType, text },
})

/** Results of tools that need nothing of the request. */
export const TOOL_RESULTS = new Map<string, unknown>([
  ['test_simple_text', [text('This is a simple text response for testing.')]],
  ['test_image_content', [image]],
  ['test_audio_content', [{ type: 'audio', data: WAV, mimeType: 'audio/wav' }]],
  [
    'test_embedded_resource',
    [resource('test://embedded-resource', 'text/plain', 'This is an embedded resource content.')],
  ],
  [
    'test_multiple_content_types',
    [
      text('Multiple content types test:'),
      image,
      resource('test://mixed-content-resource', 'application/json', '{"test":"data","value":123}'),
    ],
  ],
])

const string = { type: 'string' } as const
const argument = (name: string): Tool['inputSchema'] => ({
  type: 'object',
  properties: { [name]: string },
  required: [name],
})

const tools: readonly Tool[] = [
  ...[
    ...TOOL_RESULTS.keys(),
    ...['test_tool_with_logging', 'test_error_handling', 'test_tool_with_progress'],
    ...['test_elicitation_sep1034_defaults', 'test_elicitation_sep1330_enums'],
    'test_reconnection',
  ].map((name): Tool => ({ name, inputSchema: { type: 'object' } })),
  { name: 'test_sampling', inputSchema: argument('prompt') },
  { name: 'test_elicitation', inputSchema: argument('message') },
  {
    name: 'json_schema_2020_12_tool',
    inputSchema: {
      $schema: 'https://json-schema.org/draft/2020-12/schema',
      type: 'object',
      $defs: { address: { type: 'object', properties: { street: string, city: string } } },
      properties: { name: string, address: { $ref: '#/$defs/address' } },
      additionalProperties: false,
    },
  },
]
export const TOOLS = tools.map((tool) => ({ description: 'A tool of a scenario', ...tool }))

export const TEMPLATE = { name: 'template', uriTemplate: 'test://template/{id}/data' }

export const RESOURCES = [
  {
    uri: 'test://static-text',
    mimeType: 'text/plain',
    text: 'This is the content of the static text resource.',
  },
  { uri: 'test://static-binary', mimeType: 'image/png', blob: PNG },
  { uri: 'test://watched-resource', mimeType: 'text/plain', text: 'Watched' },
]

export function readResource(uri: string): (typeof RESOURCES)[number] {
  const [, id] = /^test:\/\/template\/(\w+)\/data$/.exec(uri) ?? []
  const data = JSON.stringify({ id, templateTest: true, data: `Data for ID: ${id}` })
  if (id !== undefined) return { uri, mimeType: 'application/json', text: data }
  const found = RESOURCES.find((it) => it.uri === uri)
  if (found === undefined) throw new Error(`no resource ${uri}`)
  return found
}

type Content = ReturnType<typeof text> | typeof image | ReturnType<typeof resource>

/** Arguments and content of each prompt. */
export const PROMPTS: Readonly<
  Record<string, readonly [string[], (args: Record<string, string>) => Content[]]>
> = {
  test_simple_prompt: [[], () => [text('This is a simple prompt for testing.')]],
  test_prompt_with_arguments: [
    ['arg1', 'arg2'],
    ({ arg1, arg2 }) => [text(`Prompt with arguments: arg1='${arg1}', arg2='${arg2}'`)],
  ],
  test_prompt_with_embedded_resource: [
    ['resourceUri'],
    ({ resourceUri = '' }) => [
      resource(resourceUri, 'text/plain', 'Embedded resource content for testing.'),
      text('Please process the embedded resource above.'),
    ],
  ],
  test_prompt_with_image: [[], () => [image, text('Please analyze the image above.')]],
}

const titled = (names: string[], titles: string[]) =>
  names.map((name, index) => ({ const: name, title: titles[index] as string }))
const ordinals = ['First', 'Second', 'Third']
const options = ['option1', 'option2', 'option3']
const values = ['value1', 'value2', 'value3']

/** Properties of the forms that tools ask the user to fill in. */
export const FORMS: Readonly<Record<string, Record<string, unknown>>> = {
  test_elicitation: {
    username: { ...string, description: "User's response" },
    email: { ...string, description: "User's email address" },
  },
  test_elicitation_sep1034_defaults: {
    name: { ...string, default: 'John Doe' },
    age: { type: 'integer', default: 30 },
    score: { type: 'number', default: 95.5 },
    status: { ...string, enum: ['active', 'inactive', 'pending'], default: 'active' },
    verified: { type: 'boolean', default: true },
  },
  test_elicitation_sep1330_enums: {
    untitledSingle: { ...string, enum: options },
    titledSingle: {
      ...string,
      oneOf: titled(
        values,
        ordinals.map((it) => `${it} Option`),
      ),
    },
    legacyEnum: {
      ...string,
      enum: ['opt1', 'opt2', 'opt3'],
      enumNames: ['Option One', 'Option Two', 'Option Three'],
    },
    untitledMulti: { type: 'array', items: { ...string, enum: options } },
    titledMulti: {
      type: 'array',
      items: {
        anyOf: titled(
          values,
          ordinals.map((it) => `${it} Choice`),
        ),
      },
    },
  },
}
