/** Starts it: `USER_POOL_ID=eu-west-1_AbCdEfGhI node main.js`. */
import { createApp } from './app.js'

createApp().listen(Number(process.env.PORT ?? 8080))
