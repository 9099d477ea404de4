-- Returns live families of a subject that are too many: of all but those that end last, the hundred that end first. KEYS: the subject's
-- sessions. ARGV: what the keys of families begin with, how many may stay.
local most = tonumber(ARGV[2])
if redis.call('ZCARD', KEYS[1]) <= most then return {} end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local live = {}
for _, id in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do
    local family = redis.pcall('HMGET', ARGV[1] .. id, 'idle_until', 'absolute_until', 'ended')
    if not family.err and not family[3] then
        local idle_until, absolute_until = tonumber(family[1] or ''), tonumber(family[2] or '')
        local ends_at = idle_until and absolute_until and math.min(idle_until, absolute_until)
        if ends_at and now < ends_at then live[#live + 1] = {ends_at, id} end
    end
end
table.sort(live, function(one, other) return one[1] < other[1] end)
local surplus = {}
for at = 1, math.min(#live - most, 100) do surplus[at] = live[at][2] end
return surplus
