/**
 * Resolves `tap` in each test file of a group to the test that represents the file, see group.mjs. A separate module,
 * because Node runs hooks on another thread.
 */
export function resolve(specifier, context, next) {
  if (specifier !== 'tap' || !context.parentURL?.endsWith('.ts')) return next(specifier, context)
  // The URL differs per file: Node evaluates a module once per URL.
  const code = `export default globalThis[Symbol.for('cognito-m2m.file-test')] // ${context.parentURL}`
  return {
    url: `data:text/javascript,${encodeURIComponent(code)}`,
    format: 'module',
    shortCircuit: true,
  }
}
