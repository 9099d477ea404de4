-- Forgets tokens that are over. KEYS: all, ends, revoked. ARGV: whether by their end or by their revocation, before when, how many to pass over, how
-- many; what the keys of rows, digests, owners' tokens and tokens below others begin with. Returns how many were forgotten, and how many cannot be
-- read, which stay.
local over
if ARGV[1] == 'ends' then
    over = redis.call('ZRANGE', KEYS[2], '-', '(' .. ARGV[2], 'BYLEX', 'LIMIT', ARGV[3], ARGV[4])
else
    over = redis.call('ZRANGE', KEYS[3], '-inf', '(' .. ARGV[2], 'BYSCORE', 'LIMIT', ARGV[3], ARGV[4])
end
local forgotten, unreadable = 0, 0
for _, entry in ipairs(over) do
    local id = string.sub(entry, -26)
    local version, path, _, token = read(redis.call('GET', ARGV[5] .. id) or '')
    if version then
        take(id, token, KEYS[2], KEYS[3], ARGV[6])
        redis.call('DEL', ARGV[5] .. id)
        redis.call('ZREM', KEYS[1], id)
        local kind, owner = next(token.owner)
        redis.call('ZREM', ARGV[7] .. kind .. ':' .. owner, id)
        for ancestor in string.gmatch(path, '[^,-]+') do redis.call('ZREM', ARGV[8] .. ancestor, id) end
        forgotten = forgotten + 1
    else
        unreadable = unreadable + 1
    end
end
return {forgotten, unreadable}
