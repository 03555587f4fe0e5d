/** Loader hooks that tell the main thread of every module that is loaded. */
let port

export function initialize(data) {
  port = data.port
}

export async function load(url, context, next) {
  port.postMessage(url)
  return next(url, context)
}
