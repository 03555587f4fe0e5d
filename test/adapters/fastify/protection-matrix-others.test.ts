/** The protection matrix for handlers others bring, which take no annotation, and for websockets. */
import t from 'tap'
import { otherKinds } from '../../support/fastify-matrix.ts'
import { runMatrix } from '../../support/fastify-matrix-run.ts'

// 5 kinds × 5 moments × 5 places × 5 annotations
runMatrix(t, otherKinds(t.testdir({ 'a.txt': 'reached' })), 625)
