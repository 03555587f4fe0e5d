/** Every way to declare a route × when × where × annotation: what reaches the handler. */
import t from 'tap'
import { routeKinds } from './matrix.ts'
import { runMatrix } from './matrix-run.ts'

// 17 kinds × 5 moments × 5 places × 5 annotations
runMatrix(t, routeKinds, 2125)
