-- Returns the live families of a subject, and how many of its keys are none. KEYS: the subject's sessions. ARGV: what the keys of families
-- begin with. One whose times cannot be read is among them, for the caller to notice.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local live, unreadable = {}, 0
for _, id in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do
    local family = redis.pcall('HGETALL', ARGV[1] .. id)
    if family.err then
        unreadable = unreadable + 1
    elseif #family > 0 then
        local fields = {}
        for at = 1, #family, 2 do fields[family[at]] = family[at + 1] end
        local idle_until, absolute_until = tonumber(fields.idle_until), tonumber(fields.absolute_until)
        local is_over = idle_until and absolute_until and (now >= idle_until or now >= absolute_until)
        if not fields.ended and not is_over then live[#live + 1] = family end
    end
end
return {live, unreadable}
