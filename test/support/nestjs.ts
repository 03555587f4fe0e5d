/** Nest apps on both platforms. The tests run without the decorator syntax, so decorators are called here. */
import 'reflect-metadata'
import type { AddressInfo } from 'node:net'
import { Controller, Get, type INestApplication, Module, type ModuleMetadata } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import { ExpressAdapter } from '@nestjs/platform-express'
import { FastifyAdapter } from '@nestjs/platform-fastify'
import type { Test } from 'tap'
import { CognitoAuthModule } from '../../src/adapters/nestjs/index.ts'
import type { CognitoAuthOptions } from '../../src/index.ts'
import { pool } from './fastify.ts'

export type Class = new () => object

/** Options of the test user pool. */
export const optionsOf = (options: Partial<CognitoAuthOptions> = {}): CognitoAuthOptions =>
  ({ ...pool.options(), ...options }) as CognitoAuthOptions

/** The module, for the test user pool. */
export const protectedBy = (options: Partial<CognitoAuthOptions> = {}) =>
  CognitoAuthModule.forRoot(optionsOf(options))

/** What `@Decorator() method(@Parameter() …)` compiles to. */
export function decorateMethod(
  { prototype }: Class,
  name: string,
  decorators: readonly MethodDecorator[],
  parameters: readonly ParameterDecorator[] = [],
): void {
  for (const [index, decorator] of parameters.entries()) decorator(prototype, name, index)
  let descriptor = Object.getOwnPropertyDescriptor(prototype, name) as PropertyDescriptor
  for (const decorator of decorators.toReversed()) {
    descriptor = (decorator(prototype, name, descriptor) as PropertyDescriptor) ?? descriptor
  }
  Object.defineProperty(prototype, name, descriptor)
}

/** A controller with one GET handler per path. */
export function createController(
  handlers: Readonly<
    Record<string, { decorators?: MethodDecorator[]; parameters?: ParameterDecorator[]; run?: Run }>
  >,
  decorators: readonly ClassDecorator[] = [],
): Class {
  class TestController {}
  for (const [path, { decorators: own = [], parameters, run = () => 'in' }] of Object.entries(
    handlers,
  )) {
    const value = function handler(...args: unknown[]) {
      return run(...args)
    }
    Object.defineProperty(TestController.prototype, path, {
      value,
      writable: true,
      configurable: true,
    })
    decorateMethod(TestController, path, [Get(path), ...own], parameters)
  }
  for (const decorator of [Controller(), ...decorators].toReversed()) decorator(TestController)
  return TestController
}

export type Run = (...args: unknown[]) => unknown

const PLATFORMS = {
  'NestJS on Express': () => new ExpressAdapter(),
  'NestJS on Fastify': () => new FastifyAdapter(),
}
export type Platform = keyof typeof PLATFORMS
export const platforms: readonly Platform[] = Object.keys(PLATFORMS) as Platform[]

/** An app that listens on loopback. */
export async function startNest(
  platform: Platform,
  metadata: ModuleMetadata,
): Promise<INestApplication> {
  class AppModule {}
  Module(metadata)(AppModule)
  const app = await NestFactory.create(AppModule, PLATFORMS[platform](), {
    logger: false,
    abortOnError: false,
  })
  await app.listen(0, '127.0.0.1')
  return app
}

/** The URL of an app that the test closes. */
export async function listen(
  t: Test,
  platform: Platform,
  metadata: ModuleMetadata,
): Promise<string> {
  const app = await startNest(platform, metadata)
  t.teardown(() => app.close())
  return `http://127.0.0.1:${(app.getHttpServer().address() as AddressInfo).port}`
}
