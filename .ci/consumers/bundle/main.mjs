/** An app with a route that is declared before the plugin and that the plugin does not reach. */
import { cognitoAuth } from 'cognito-m2m/fastify'
import Fastify from 'fastify'

const app = Fastify()
app.get('/orders', { config: { auth: {} } }, async () => 'reached')
app.register(async (child) => {
  await child.register(cognitoAuth, {
    userPoolId: 'eu-west-1_AbCdEfGhI',
    clientId: null,
    allowNoRoutes: true,
  })
})
app
  .ready()
  .then(
    () => 'started',
    ({ message }) => message,
  )
  .then((outcome) => {
    process.stdout.write(outcome, () => process.exit())
  })
