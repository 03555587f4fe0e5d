/** The protection matrix for handlers others bring, which take no annotation, and for websockets. */
import t from 'tap'
import { otherKinds } from './matrix.ts'
import { runMatrix } from './matrix-run.ts'

// 5 kinds × 5 moments × 5 places × 5 annotations
runMatrix(t, otherKinds(t.testdir({ 'a.txt': 'reached' })), 625)
