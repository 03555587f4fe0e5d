/** Which files of src run while something is done: V8's precise coverage, function by function. */
import { Session } from 'node:inspector/promises'
import { pathToFileURL } from 'node:url'

const SOURCE = new URL('src/', pathToFileURL(`${process.cwd()}/`)).href

/** Before src is loaded: V8 counts calls reliably only in what it compiles from now on. */
export async function startCoverage() {
  const session = new Session()
  session.connect()
  await session.post('Profiler.enable')
  await session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true })
  return {
    /** Files of src, sorted, with the functions that were called meanwhile. */
    async during(work) {
      await session.post('Profiler.takePreciseCoverage')
      await work()
      const { result } = await session.post('Profiler.takePreciseCoverage')
      return calledFiles(result)
    },
    stop: () => session.disconnect(),
  }
}

const wasCalled = ({ ranges: [whole] }) => whole.count > 0

function calledFiles(scripts) {
  return scripts
    .filter(({ url }) => url.startsWith(SOURCE))
    .map(({ url, functions }) => ({
      name: `src/${url.slice(SOURCE.length)}`,
      functions: functions
        .filter(wasCalled)
        .map(({ functionName }) => functionName || '(anonymous)'),
    }))
    .filter(({ functions }) => functions.length > 0)
    .sort((one, other) => (one.name < other.name ? -1 : 1))
}
