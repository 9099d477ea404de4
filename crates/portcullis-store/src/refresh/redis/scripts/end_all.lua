-- Ends all families of a subject, whatever their form: `ended` means the same in every one. KEYS: the subject's sessions. ARGV: what the keys
-- of families begin with, the reason, the id of the family to leave (or nothing). Returns the ids of those that were live, and how many could
-- not be ended.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local ended, left = {}, 0
for _, id in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do
    local key = ARGV[1] .. id
    local family = redis.pcall('HMGET', key, 'idle_until', 'absolute_until', 'ended')
    if id == ARGV[3] then
        -- It stays.
    elseif family.err then
        left = left + 1
    elseif not family[3] and redis.call('EXISTS', key) == 1 then
        redis.call('HSET', key, 'ended', ARGV[2])
        local idle_until, absolute_until = tonumber(family[1] or ''), tonumber(family[2] or '')
        local is_over = idle_until and absolute_until and (now >= idle_until or now >= absolute_until)
        if not is_over then ended[#ended + 1] = id end
        redis.call('ZREM', KEYS[1], id)
    else
        -- It has ended before, or is gone.
        redis.call('ZREM', KEYS[1], id)
    end
end
return {ended, left}
