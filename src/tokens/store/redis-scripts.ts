/**
 * Lua scripts that Redis executes atomically. A group is one hash with its epoch. Each entry has a value (`v:`), an end
 * (`x:`, milliseconds by the clock of Redis) and a sequence number (`o:`). So a look-up is one round trip to one key.
 *
 * Scripts with a deadline return the time first. A delayed command may be executed after its caller has stopped
 * waiting. Then it must have no effect.
 */
import { createHash } from 'node:crypto'
import { MAX_GROUP } from './token-store.ts'

/** A script and its SHA-1, for EVALSHA. */
export interface RedisScript {
  readonly source: string
  readonly sha: string
}

const READ_TIME = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)`

/** The deadline is in milliseconds by the clock of Redis. A late command returns only the time. */
const CHECK_DEADLINE = `${READ_TIME}
if now > tonumber(ARGV[1]) then return { now } end`

/** KEYS: group. ARGV: deadline, key. Returns time, epoch and value. Writes nothing, so unknown clients use no memory. */
export const GET: RedisScript = createScript(`${CHECK_DEADLINE}
local found = redis.call('HMGET', KEYS[1], 'epoch', 'x:' .. ARGV[2], 'v:' .. ARGV[2])
local value = found[3]
if not found[2] or tonumber(found[2]) <= now then value = false end
return { now, found[1] or '', value }`)

/**
 * KEYS: group. ARGV: expiry of the value by the clock of Redis, key, value, epoch, longest lifetime in milliseconds.
 * Returns the time and whether the value is stored. If memory is full, Redis checks only the first write of a script.
 */
export const SET: RedisScript = createScript(`${READ_TIME}
local life = math.min(tonumber(ARGV[5]), ARGV[1] - now)
if life <= 0 or (redis.call('HGET', KEYS[1], 'epoch') or '') ~= ARGV[4] then return { now, 0 } end
local count, oldest, first = 0, nil, nil
for _, field in ipairs(redis.call('HKEYS', KEYS[1])) do
  if string.sub(field, 1, 2) == 'o:' and field ~= 'o:' .. ARGV[2] then
    count = count + 1
    local order = tonumber(redis.call('HGET', KEYS[1], field))
    if not first or order < first then
      first = order
      oldest = string.sub(field, 3)
    end
  end
end
if count >= ${MAX_GROUP} then
  redis.call('HDEL', KEYS[1], 'v:' .. oldest, 'x:' .. oldest, 'o:' .. oldest)
end
local order = redis.call('HINCRBY', KEYS[1], 'order', 1)
local ends = string.format('%.0f', now + life)
redis.call('HSET', KEYS[1], 'v:' .. ARGV[2], ARGV[3], 'x:' .. ARGV[2], ends, 'o:' .. ARGV[2], order)
if redis.call('PTTL', KEYS[1]) < life then
  redis.call('PEXPIRE', KEYS[1], string.format('%.0f', life))
end
return { now, 1 }`)

/** KEYS: group. ARGV: key. */
export const DELETE: RedisScript = createScript(`
return redis.call('HDEL', KEYS[1], 'v:' .. ARGV[1], 'x:' .. ARGV[1], 'o:' .. ARGV[1])`)

/** KEYS: group. ARGV: the new epoch, its lifetime in milliseconds. Deletes first: Redis permits that with full memory. */
export const INVALIDATE: RedisScript = createScript(`
redis.call('DEL', KEYS[1])
redis.call('HSET', KEYS[1], 'epoch', ARGV[1])
return redis.call('PEXPIRE', KEYS[1], ARGV[2])`)

/** KEYS: lock. ARGV: deadline, owner, lifetime in milliseconds. The holder of the lock extends it. */
export const LOCK: RedisScript = createScript(`${CHECK_DEADLINE}
local owner = redis.call('GET', KEYS[1])
if owner and owner ~= ARGV[2] then return { now, 0 } end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
return { now, 1 }`)

/** KEYS: lock. ARGV: owner. */
export const UNLOCK: RedisScript = createScript(`
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1])`)

function createScript(source: string): RedisScript {
  return { source, sha: createHash('sha1').update(source).digest('hex') }
}
