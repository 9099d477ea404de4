-- Returns the token of a digest and its ancestors, each as its id and its row. KEYS: the digest. ARGV: what the keys of rows begin with.
local id = redis.call('GET', KEYS[1])
if not id then return {} end
local row = redis.call('GET', ARGV[1] .. id)
local found = {id, row}
local path = row and string.match(row, '^1 %d+ (%S+)\n') or '-'
for ancestor in string.gmatch(path, '[^,-]+') do
    found[#found + 1] = ancestor
    found[#found + 1] = redis.call('GET', ARGV[1] .. ancestor)
end
return found
