/**
 * Importing an adapter loads the core, the adapter and its framework, and nothing else. A child process records
 * what the package imports, and the source maps name the source files of what was loaded.
 */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import nodeModule from 'node:module'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'

const SHARED = ['core/', 'adapters/[^/]+$']
const ADAPTERS = {
  fastify: { packages: ['fastify-plugin'], sources: ['adapters/fastify/'] },
  express: { packages: [], sources: ['adapters/express/'] },
  fetch: { packages: [], sources: ['adapters/fetch/'] },
  hono: { packages: [], sources: ['adapters/hono/', 'adapters/fetch/'] },
  koa: { packages: [], sources: ['adapters/koa/'] },
  lambda: { packages: [], sources: ['adapters/lambda/'] },
  nestjs: {
    packages: ['@nestjs/common', '@nestjs/core', 'reflect-metadata'],
    sources: ['adapters/nestjs/', 'contract/openapi/scheme\\.ts$'],
  },
}

/** Writes one line per import: the importing file, the specifier, and the file it stands for. */
const RECORDER = `
  import { registerHooks } from 'node:module'
  registerHooks({
    resolve(specifier, context, nextResolve) {
      const resolved = nextResolve(specifier, context)
      console.log(JSON.stringify([context.parentURL ?? '', specifier, resolved.url]))
      return resolved
    },
  })
`
const recorder = `data:text/javascript,${encodeURIComponent(RECORDER)}`
const packageFolder = dirname(dirname(import.meta.resolve('cognito-m2m')))

function recordImports(subpath) {
  const args = ['--import', recorder, '--input-type=module', '--eval', `import '${subpath}'`]
  const lines = execFileSync(process.execPath, args, { encoding: 'utf8', cwd: import.meta.dirname })
  return lines
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
}

function listSources(url) {
  const { sources } = JSON.parse(readFileSync(fileURLToPath(`${url}.map`), 'utf8'))
  return sources.map((it) => it.replace(/^(\.\.\/)+src\//, ''))
}

// Node.js has the hooks from 22.15 on.
const adapters = nodeModule.registerHooks === undefined ? {} : ADAPTERS
for (const [name, { packages, sources }] of Object.entries(adapters)) {
  const imports = recordImports(`cognito-m2m/${name}`)
  const isOwn = (url) => url.startsWith(`${packageFolder}/dist/`)
  const external = imports
    .filter(([parent, , url]) => isOwn(parent) && !isOwn(url) && !url.startsWith('node:'))
    .map(([, specifier]) => /^(?:@[^/]+\/)?[^/]+/.exec(specifier)[0])
  assert.deepEqual([...new Set(external)].sort(), packages, name)

  const files = new Set(imports.map(([, , url]) => url).filter(isOwn))
  const allowed = new RegExp(`^(?:${[...SHARED, ...sources].join('|')})`)
  const loaded = [...files].flatMap(listSources)
  assert.ok(loaded.length > 10, `${name}: ${loaded.length} source files`)
  assert.deepEqual(
    loaded.filter((it) => !allowed.test(it)),
    [],
    name,
  )
}
process.stdout.write(`imports: ${Object.keys(adapters).length} adapters load their own parts\n`)
