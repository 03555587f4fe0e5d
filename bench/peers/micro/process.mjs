/** One run of one case, in a process of its own. */
import { readCredentials } from '../credentials.mjs'
import { answering } from '../machine.mjs'
import { measureCase } from './cases.mjs'

answering(({ open, subject, credentials }) =>
  measureCase(open, subject, readCredentials(credentials)),
)
