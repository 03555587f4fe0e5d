/** Imports every subpath and uses it. */
import assert from 'node:assert/strict'
import { createResourceServer } from 'cognito-m2m'
import { createTokenClient } from 'cognito-m2m/client'
import { cognitoAuth as expressAuth, getAuth } from 'cognito-m2m/express'
import cognitoAuth, { cognitoAuth as named } from 'cognito-m2m/fastify'
import { createLambdaAuthorizer } from 'cognito-m2m/lambda'
import { createMetrics } from 'cognito-m2m/metrics'
import { openApiParts } from 'cognito-m2m/openapi'
import { cognitoOpenApi } from 'cognito-m2m/openapi/fastify'
import { tokenProxy } from 'cognito-m2m/proxy'
import { createTestUserPool, startUserPool } from 'cognito-m2m/testing'
import { createUsage } from 'cognito-m2m/usage'
import express from 'express'
import Fastify from 'fastify'
import exercise from './exercise.cjs'
import 'cognito-m2m/express/global'

assert.equal(cognitoAuth, named)
await exercise({
  Fastify,
  express,
  createResourceServer,
  createTokenClient,
  expressAuth,
  getAuth,
  cognitoAuth,
  createLambdaAuthorizer,
  openApiParts,
  cognitoOpenApi,
  tokenProxy,
  createTestUserPool,
  startUserPool,
  createUsage,
  createMetrics,
})
