/** The Redis store of usage, with ioredis. */

import { redisUsageStore } from 'cognito-m2m/usage'
import { Redis } from 'ioredis'

redisUsageStore({ redis: new Redis({ lazyConnect: true }) })
