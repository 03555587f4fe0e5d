/** What a test file could leave behind for the next one in its process: environment, listeners, intrinsics. */

const ERROR_EVENTS = ['uncaughtException', 'unhandledRejection', 'warning']
const INTRINSICS = { Array, Date, Error, Function, JSON, Map, Math, Number, Object, Promise }
const OTHER_INTRINSICS = { RegExp, Set, String, Symbol, console }

/** @returns Values by name, which are compared by identity. */
export function readProcessState() {
  const state = new Map([
    ['process.cwd()', process.cwd()],
    ['process.umask()', process.umask()],
    ['process.platform', process.platform],
    ['process.stdout.write', process.stdout.write],
    ['process.stderr.write', process.stderr.write],
    ['globalThis.fetch', fetch],
    ['globalThis.crypto', crypto],
  ])
  for (const [name, value] of Object.entries(process.env)) state.set(`process.env.${name}`, value)
  for (const event of ERROR_EVENTS) state.set(`listeners of ${event}`, process.listenerCount(event))
  for (const [name, object] of Object.entries({ ...INTRINSICS, ...OTHER_INTRINSICS })) {
    state.set(`globalThis.${name}`, globalThis[name])
    addMembers(state, name, object)
    if (object.prototype !== undefined) addMembers(state, `${name}.prototype`, object.prototype)
  }
  return state
}

function addMembers(state, name, object) {
  for (const key of Reflect.ownKeys(object)) {
    const { value, get } = Reflect.getOwnPropertyDescriptor(object, key)
    state.set(`${name}.${String(key)}`, value ?? get)
  }
}

/** @returns Names of what differs. */
export function listChanges(before, after) {
  const names = new Set([...before.keys(), ...after.keys()])
  return [...names].filter((name) => !Object.is(before.get(name), after.get(name)))
}
