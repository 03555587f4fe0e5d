/** A resolution hook: packages that this repository does not install come from bench/peers. */
const PEERS = new URL('../bench/peers/package.json', import.meta.url).href

export async function resolve(specifier, context, next) {
  try {
    return await next(specifier, context)
  } catch (error) {
    if (error.code !== 'ERR_MODULE_NOT_FOUND') throw error
    return next(specifier, { ...context, parentURL: PEERS })
  }
}
