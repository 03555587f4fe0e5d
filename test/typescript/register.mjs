/** Imported ahead of every test file, see .taprc. */
import { createRequire, register, registerHooks } from 'node:module'

// tap enables source maps, and loading those of its modules takes a third of its start. Tests need none: blanked
// types keep lines and columns.
process.setSourceMapsEnabled(false)

// tap also records the processes that a test starts, which costs each of them half a second. Only coverage reads it.
if (process.env['_TAPJS_PROCESSINFO_COVERAGE_'] === '0') {
  const recorder = /"?--import=\S+\/processinfo\/\S+/
  createRequire(import.meta.url)('process-on-spawn').removeAllListeners()
  process.execArgv = process.execArgv.filter((argument) => !recorder.test(argument))
  process.env['NODE_OPTIONS'] = (process.env['NODE_OPTIONS'] ?? '').replace(recorder, '').trim()
}

if (!process.features.typescript) register('./hooks.mjs', import.meta.url)

// Another version of Fastify, by the name of its package here: `FASTIFY=fastify6` for what is not released yet.
const { FASTIFY } = process.env
if (FASTIFY) {
  registerHooks({
    resolve: (specifier, context, next) =>
      next(specifier === 'fastify' ? FASTIFY : specifier, context),
  })
}
