/**
 * The modules of src and what each may import, for dependency-cruiser: `npm run check:dependencies`.
 * Imports of types count as imports do. A module is a folder; what is not listed in `to` it must not import.
 */

const CORE = '^src/core/'
const OAUTH = '^src/tokens/oauth/'
const STORE = '^src/tokens/store/'
const USAGE = '^src/tokens/usage/'
const USAGE_FILES = '^src/tokens/usage/[^/]+\\.ts$'
const HISTORY = '^src/tokens/usage/history/'
const USAGE_IMPORT = '^src/tokens/usage/import/'
const DASHBOARD = '^src/tokens/usage/dashboard/'
const PAGE = '^src/tokens/usage/dashboard/page/'
const OPENAPI_FILES = '^src/contract/openapi/[^/]+\\.ts$'
const INFRA = '^src/contract/infra/'
const ADAPTERS_FILES = '^src/adapters/[^/]+\\.ts$'

/** `$1` is what the first group of `from` matched. */
const MODULES = [
  { name: 'entry-point', from: '^src/index\\.ts$', to: [CORE] },
  { name: 'core', from: CORE, to: [CORE] },
  {
    name: 'adapter',
    comment:
      'An adapter imports core and the adapter of web-standard requests, never another adapter.',
    from: '^src/adapters/((?!nestjs|mcp)[^/]+)/',
    to: [CORE, '^src/adapters/$1/', '^src/adapters/fetch/', ADAPTERS_FILES],
  },
  {
    name: 'adapter-mcp',
    comment: 'MCP servers run on Express and on web-standard requests: it adds to both adapters.',
    from: '^src/adapters/mcp/',
    to: [CORE, '^src/adapters/(?:mcp|express|fetch)/', ADAPTERS_FILES],
  },
  {
    name: 'adapter-nestjs',
    comment: 'Its decorators document a requirement for OpenAPI.',
    from: '^src/adapters/nestjs/',
    to: [CORE, '^src/adapters/nestjs/', ADAPTERS_FILES, OPENAPI_FILES],
  },
  { name: 'adapters', from: ADAPTERS_FILES, to: [CORE, ADAPTERS_FILES] },
  { name: 'oauth', from: OAUTH, to: [CORE, OAUTH] },
  { name: 'store', from: STORE, to: [CORE, OAUTH, STORE] },
  { name: 'client', from: '^src/tokens/client/', to: [CORE, OAUTH, STORE, '^src/tokens/client/'] },
  {
    name: 'rotate',
    comment: 'A rotation tests the new secret with the token client.',
    from: '^src/tokens/rotate/',
    to: [CORE, OAUTH, '^src/tokens/(?:client|rotate)/'],
  },
  {
    name: 'proxy',
    comment:
      'The proxy is a Fastify plugin: it shares the type of its registration with the adapter.',
    from: '^src/tokens/proxy/',
    to: [CORE, OAUTH, STORE, '^src/tokens/proxy/', '^src/adapters/fastify/register-options\\.ts$'],
  },
  {
    name: 'metrics',
    comment: 'It reads events and states, and imports neither prom-client nor OpenTelemetry.',
    from: '^src/metrics/',
    to: [CORE, '^src/metrics/'],
  },
  { name: 'usage', from: USAGE_FILES, to: [CORE, USAGE] },
  { name: 'usage-store', from: `${USAGE}store/`, to: [CORE, USAGE_FILES, `${USAGE}store/`] },
  { name: 'usage-history', from: HISTORY, to: [CORE, USAGE_FILES, HISTORY] },
  { name: 'usage-import', from: USAGE_IMPORT, to: [CORE, USAGE_FILES, HISTORY, USAGE_IMPORT] },
  { name: 'dashboard', from: `${DASHBOARD}(?!page/)`, to: [CORE, USAGE_FILES, HISTORY, DASHBOARD] },
  {
    name: 'dashboard-page',
    comment: 'Runs in a browser: beside itself it imports types alone.',
    from: PAGE,
    to: [PAGE, `${DASHBOARD}view\\.ts$`, `${USAGE}types\\.ts$`],
  },
  {
    name: 'openapi',
    comment: 'Parts of documents are made of core, without a framework.',
    from: OPENAPI_FILES,
    to: [CORE, OPENAPI_FILES],
  },
  {
    name: 'openapi-fastify',
    from: '^src/contract/openapi/fastify/',
    to: [CORE, '^src/contract/openapi/', '^src/adapters/fastify/'],
  },
  { name: 'infra', from: INFRA, to: [CORE, INFRA] },
  { name: 'testing', from: '^src/testing/', to: [CORE, OAUTH, STORE, '^src/testing/'] },
  { name: 'cli', from: '^src/cli/(?!app-loader/)', to: ['^src/'] },
  {
    name: 'app-loader',
    comment: 'Reads an app: it knows routes and the templates they are compared with, no command.',
    from: '^src/cli/app-loader/',
    to: [CORE, INFRA, '^src/cli/(?:app-loader/|exit-codes\\.ts$|files/flags\\.ts$)'],
  },
]

const PACKAGE = '(?:^|/)node_modules/'

/** @type {import('dependency-cruiser').IConfiguration} */
export default {
  forbidden: [
    ...MODULES.map(({ name, from, to, comment = `${name} imports ${to.join(' ')}` }) => ({
      name,
      comment,
      severity: 'error',
      from: { path: from },
      to: { path: '^src/', pathNot: to },
    })),
    {
      name: 'module-of-its-own',
      comment: 'Each file of src is in one of the modules above.',
      severity: 'error',
      from: { path: '^src/', pathNot: MODULES.map(({ from }) => from) },
      to: {},
    },
    {
      name: 'nothing-outside-src',
      comment: 'Source imports source and packages.',
      severity: 'error',
      from: { path: '^src/' },
      to: { pathNot: ['^src/', PACKAGE], dependencyTypesNot: ['core'] },
    },
    {
      name: 'no-cycle',
      comment: 'Two files that import each other, types included, are one file or need a third.',
      severity: 'error',
      from: { path: '^src/' },
      to: { circular: true },
    },
    {
      name: 'core-packages',
      comment: 'core imports node: and aws-jwt-verify.',
      severity: 'error',
      from: { path: CORE },
      to: { path: PACKAGE, pathNot: `${PACKAGE}aws-jwt-verify/` },
    },
    {
      name: 'without-framework',
      comment: 'The testing kit and the parts of OpenAPI documents work without Fastify.',
      severity: 'error',
      from: { path: ['^src/testing/', OPENAPI_FILES] },
      to: { path: `${PACKAGE}(?:fastify|fastify-plugin)/` },
    },
    {
      name: 'types-only',
      comment: 'A browser loads neither modules of Node nor TypeScript.',
      severity: 'error',
      from: { path: PAGE },
      to: { pathNot: PAGE, dependencyTypesNot: ['type-only', 'jsdoc'] },
    },
    {
      name: 'installed-with-the-package',
      comment: 'What runs is a dependency or a peer, not a tool of development.',
      severity: 'error',
      from: { path: '^src/' },
      to: {
        dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown', 'unknown', 'undetermined'],
        dependencyTypesNot: ['type-only', 'npm-peer'],
      },
    },
    {
      name: 'resolvable',
      severity: 'error',
      from: { path: '^src/' },
      to: { couldNotResolve: true },
    },
  ],
  options: {
    doNotFollow: { path: PACKAGE },
    // Imports of types, which the compiler removes, are dependencies too.
    tsPreCompilationDeps: true,
    detectJSDocImports: true,
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default', 'types'],
    },
  },
}
