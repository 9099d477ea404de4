-- Adds a family. KEYS: the family, its subject's sessions. ARGV: id, absolute end, idle end, then the fields of the family and their
-- values. Returns whether it was added.
if redis.call('EXISTS', KEYS[1]) == 1 then return 0 end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local last = tonumber(ARGV[2]) + 600000
-- First the subject's list, which may name families that do not exist, but has to name all that do, and outlives them.
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', now - 600000)
redis.call('ZADD', KEYS[2], ARGV[2], ARGV[1])
local lives = redis.call('PTTL', KEYS[2])
if lives < 0 or now + lives < last then redis.call('PEXPIREAT', KEYS[2], string.format('%.0f', last)) end
redis.call('HSET', KEYS[1], unpack(ARGV, 4))
redis.call('PEXPIREAT', KEYS[1], string.format('%.0f', math.min(last, tonumber(ARGV[3]) + 600000)))
return 1
