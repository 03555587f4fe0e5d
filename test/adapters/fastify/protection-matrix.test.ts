/** Every way to declare a route × when × where × annotation: what reaches the handler. */
import t from 'tap'
import { routeKinds } from '../../support/fastify-matrix.ts'
import { runMatrix } from '../../support/fastify-matrix-run.ts'

// 17 kinds × 5 moments × 5 places × 5 annotations
runMatrix(t, routeKinds, 2125)
