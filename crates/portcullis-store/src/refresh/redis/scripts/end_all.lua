-- Ends all families of a subject. KEYS: the subject's sessions. ARGV: what the keys of families begin with, the reason, the id of
-- the family to leave (or nothing). Returns the ids of those that were live.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local ended = {}
for _, id in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do
    local key = ARGV[1] .. id
    local family = redis.call('HMGET', key, 'idle_until', 'absolute_until', 'ended')
    if family[1] and not family[3] and id ~= ARGV[3] then
        redis.call('HSET', key, 'ended', ARGV[2])
        if now < tonumber(family[1]) and now < tonumber(family[2]) then ended[#ended + 1] = id end
    end
end
return ended
