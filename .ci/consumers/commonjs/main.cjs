/** Requires every subpath and uses it. */
const { createResourceServer } = require('cognito-m2m')
const { createTokenClient } = require('cognito-m2m/client')
const { cognitoAuth: expressAuth, getAuth } = require('cognito-m2m/express')
const { cognitoAuth } = require('cognito-m2m/fastify')
const { createLambdaAuthorizer } = require('cognito-m2m/lambda')
const { openApiParts } = require('cognito-m2m/openapi')
const { cognitoOpenApi } = require('cognito-m2m/openapi/fastify')
const { createMetrics } = require('cognito-m2m/metrics')
const { tokenProxy } = require('cognito-m2m/proxy')
const { createTestUserPool, startUserPool } = require('cognito-m2m/testing')
const { createUsage } = require('cognito-m2m/usage')
const express = require('express')
const Fastify = require('fastify')
const exercise = require('./exercise.cjs')

exercise({
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
