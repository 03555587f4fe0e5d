/** The global guard of a Nest app. */
import {
  type CanActivate,
  type ExecutionContext,
  HttpException,
  Inject,
  Injectable,
} from '@nestjs/common'
import { HttpAdapterHost } from '@nestjs/core'
import { decide, type ResponseError } from '../respond.ts'
import type { HandlerGuards } from './handler-guards.ts'
import { HANDLER_GUARDS } from './module-check.ts'
import { readAuthorization, requestAuth } from './request.ts'

/** What the guard throws for a rejected request. The headers are already on the response. */
export class AuthException extends HttpException {
  /** The error with code, status and headers. */
  readonly error: ResponseError

  constructor(error: ResponseError) {
    super(error.toJSON(), error.statusCode, { cause: error })
    this.error = error
  }
}

/** Decides for each HTTP request, by the requirement of its handler. Rejects handlers of other transports. */
export class CognitoAuthGuard implements CanActivate {
  readonly #guards: HandlerGuards
  readonly #host: HttpAdapterHost

  constructor(guards: HandlerGuards, host: HttpAdapterHost) {
    this.#guards = guards
    this.#host = host
  }

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const guard = this.#guards.find(context)
    // A public handler of another transport has no request.
    if (context.getType() !== 'http') return true
    const http = context.switchToHttp()
    const request = http.getRequest()
    requestAuth.clear(request)
    if (guard === 'public') {
      requestAuth.set(request, null)
      return true
    }
    try {
      const { logger } = this.#guards.options
      requestAuth.set(request, await decide(guard, readAuthorization(request), request, logger))
      return true
    } catch (thrown) {
      const error = thrown as ResponseError
      const { httpAdapter } = this.#host
      for (const [name, value] of Object.entries(error.headers)) {
        httpAdapter.setHeader(http.getResponse(), name, value)
      }
      throw new AuthException(error)
    }
  }
}
Injectable()(CognitoAuthGuard)
Inject(HANDLER_GUARDS)(CognitoAuthGuard, undefined, 0)
Inject(HttpAdapterHost)(CognitoAuthGuard, undefined, 1)
