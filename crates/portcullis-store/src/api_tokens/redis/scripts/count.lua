-- Returns how many tokens of an owner are live. What cannot be read may be. KEYS: the owner's tokens. ARGV: what the keys of rows begin with, and the time.
local live = 0
for _, id in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do
    local row = redis.call('GET', ARGV[1] .. id)
    if row then
        local version, _, _, token = read(row)
        local at = version and ends_at(token)
        local is_over = version and (type(token.revoked) == 'table' or at and at <= tonumber(ARGV[2]))
        if not is_over then live = live + 1 end
    end
end
return live
