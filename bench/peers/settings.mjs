/** What a run is told: `--quick`, `--rounds=10`, `--only=micro,fastify`, `--peers=jose,fast-jwt`,
 * `--connections=32`, `--cores=2`. */

/** Every token carries five scopes: that is about what Cognito's weigh. */
export const SCOPES = [
  'orders/read',
  'orders/write',
  'orders/cancel',
  'invoices/read',
  'invoices/write',
]
/** The one the protected route asks for. */
export const SCOPE = SCOPES[0]
/** Callers of the warm load, each with one token. */
export const CLIENTS = 200
/** Tokens of the load that has many of them. */
export const MANY = 5000

/** `rate` is far below what one core serves with any of the peers, in requests per second. */
const PACE = { rate: 500, seconds: 2 }
/**
 * Many short slices: neighbors of a shared machine slow it down for seconds, and all servers must meet that alike. A
 * slice is tens of milliseconds.
 */
const FULL = { ...PACE, rounds: 6, passes: 12, requests: 400, processes: 8 }
const QUICK = { ...PACE, rounds: 2, passes: 3, requests: 400, processes: 3 }

function given(args, name) {
  return args.find((it) => it.startsWith(`--${name}=`))?.slice(name.length + 3)
}

/** @param args Of the command line, without program and script. */
export function readSettings(args) {
  const quick = args.includes('--quick')
  const { rounds, processes, ...rest } = quick ? QUICK : FULL
  return {
    ...rest,
    quick,
    rounds: Number(given(args, 'rounds') ?? rounds),
    /** Fresh processes of each case without HTTP. */
    processes: Number(given(args, 'processes') ?? processes),
    connections: Number(given(args, 'connections') ?? 32),
    /** Cores that a server may use; the load has the last one. */
    cores: Number(given(args, 'cores') ?? 1),
    /** Parts of the names of peers; the bare framework and ours are always among them. */
    peers: (given(args, 'peers') ?? '').split(','),
    parts: (given(args, 'only') ?? 'micro,fastify,express,hono').split(','),
  }
}
