-- Returns entries of an index, and the rows of their tokens. KEYS: the index. ARGV: what the keys of rows begin with, where to begin and to end, how many.
local entries, rows = redis.call('ZRANGE', KEYS[1], ARGV[2], ARGV[3], 'BYLEX', 'LIMIT', 0, ARGV[4]), {}
for at, entry in ipairs(entries) do rows[at] = redis.call('GET', ARGV[1] .. string.sub(entry, -26)) end
return {entries, rows}
