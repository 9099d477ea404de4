-- One step. KEYS: the family. ARGV: share, client, generation, grace, idle, whether tokens are replaced, key, most lost writes, least
-- prolongation; times in milliseconds. Writes only if a token is replaced or the session prolonged. Returns the time, whether it wrote,
-- and the family as it was.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local before = redis.call('HGETALL', KEYS[1])
local family = {}
for at = 1, #before, 2 do family[before[at]] = before[at + 1] end
local function nothing() return {now, 0, before} end

if family.form ~= '1' or family.share ~= ARGV[1] or family.client ~= ARGV[2] or family.ended then return nothing() end
local idle_until, absolute_until = tonumber(family.idle_until), tonumber(family.absolute_until)
if now >= idle_until or now >= absolute_until then return nothing() end
local current, presented = tonumber(family.generation), tonumber(ARGV[3])
if presented < current or presented - current > tonumber(ARGV[8]) then return nothing() end
local rotated_at = tonumber(family.rotated_at)
if presented == current and rotated_at and math.max(0, now - rotated_at) < tonumber(ARGV[4]) then return nothing() end

local prolonged = math.min(now + tonumber(ARGV[5]), absolute_until)
if presented == current and ARGV[6] ~= '1' then
    if prolonged - idle_until < tonumber(ARGV[9]) then return nothing() end
else
    redis.call('HSET', KEYS[1], 'generation', string.format('%.0f', presented + 1), 'key_id', ARGV[7],
        'rotated_at', string.format('%.0f', now))
end
redis.call('HSET', KEYS[1], 'idle_until', string.format('%.0f', prolonged))
redis.call('PEXPIREAT', KEYS[1], string.format('%.0f', prolonged + 600000))
return {now, 1, before}
