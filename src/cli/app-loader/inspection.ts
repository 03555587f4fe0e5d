/** What is read from an app, and how reading it fails. */

import type { AppRoute } from '../../contract/infra/index.ts'
import type { ResourceServer } from '../../core/scopes.ts'

/** What a module's app declares. */
export interface Inspection {
  readonly routes: readonly AppRoute[]
  /** What `defineScopes` gave and the module exports. */
  readonly resourceServers: readonly ResourceServer[]
}

/** A part of it: one app's routes. */
export interface AppRoutes {
  readonly routes: readonly AppRoute[]
  /** Whether any guard of this package stands in the app. */
  readonly guarded: boolean
}

/** Why a module cannot be read: one line, which may repeat text of the module's. */
export class InspectionFailure extends Error {}
