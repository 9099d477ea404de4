-- Returns the live families of a subject. KEYS: the subject's sessions. ARGV: what the keys of families begin with.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local live = {}
for _, id in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do
    local key = ARGV[1] .. id
    local family = redis.call('HMGET', key, 'idle_until', 'absolute_until', 'ended')
    if family[1] and not family[3] and now < tonumber(family[1]) and now < tonumber(family[2]) then
        live[#live + 1] = redis.call('HGETALL', key)
    end
end
return live
