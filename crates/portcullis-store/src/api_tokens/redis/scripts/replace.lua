-- Replaces a row of the version before, with the same owner and path, and adds its successor. KEYS: all, ends, revoked, the row, its next digest, then
-- those of the successor. ARGV: what the keys of digests begin with, id, version before, path, kind and id of the owner, next first line, next JSON,
-- next entry of the ends, when it was revoked; then those of the successor. Returns 1 if it is done, 0 if the row is another one or something is
-- taken, and -1 if the row cannot be read.
local row = redis.call('GET', KEYS[4])
if not row then return 0 end
local version, path, use, before = read(row)
if not version then return -1 end
if version ~= ARGV[3] or path ~= ARGV[4] or before.owner[ARGV[5]] ~= ARGV[6] then return 0 end
local has_digest = redis.call('GET', KEYS[5])
if has_digest and has_digest ~= ARGV[2] then return 0 end
if KEYS[6] then
    if KEYS[6] == KEYS[4] or KEYS[7] == KEYS[5] or redis.call('EXISTS', KEYS[6], KEYS[7]) > 0 then return 0 end
end
take(ARGV[2], before, KEYS[2], KEYS[3], ARGV[1])
put(ARGV[2], ARGV[7] .. use .. '\n' .. ARGV[8], KEYS[5], ARGV[9], ARGV[10], KEYS[2], KEYS[3], KEYS[4])
if KEYS[6] then add(6, 11) end
return 1
