-- Changes a record if it has the version that is expected. KEYS: the record, its group. ARGV: its id, the version (or nothing, if there must be
-- no record), the next row (or nothing, to delete it), its end in milliseconds (or nothing). Returns 1 if it is done, 0 if the version is another
-- one, and -1 if the row cannot be read.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local row, version = redis.call('GET', KEYS[1]), ''
if row then
    local number, ends = string.match(row, '^1 (%d+) ([%d-]+)\n')
    if not number then return -1 end
    if ends == '-' or now < tonumber(ends) then version = number end
end
if version ~= ARGV[2] then return 0 end
if ARGV[3] == '' then
    redis.call('DEL', KEYS[1])
    redis.call('ZREM', KEYS[2], ARGV[1])
else
    -- First the group, which may name records that do not exist, but has to name all that do.
    redis.call('ZADD', KEYS[2], ARGV[4] == '' and '+inf' or ARGV[4], ARGV[1])
    redis.call('SET', KEYS[1], ARGV[3])
    if ARGV[4] ~= '' then redis.call('PEXPIREAT', KEYS[1], ARGV[4]) end
end
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', string.format('%.0f', now))
-- The group lasts as long as its last record.
local last = redis.call('ZRANGE', KEYS[2], -1, -1, 'WITHSCORES')[2]
if last == 'inf' then
    redis.call('PERSIST', KEYS[2])
elseif last then
    redis.call('PEXPIREAT', KEYS[2], last)
end
return 1
