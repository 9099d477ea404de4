-- What the scripts of API tokens have in common. A row is three lines: the form, the version and the path; the last use; the rest, as JSON.
-- Returns the version, the path and the last use of a row, and the rest as a table; nothing if the row cannot be read.
local function read(row)
    local version, path, use, json = string.match(row, '^1 (%d+) (%S+)\n([^\n]*)\n(.*)$')
    local is_json, token = pcall(cjson.decode, json or '')
    if not is_json or type(token) ~= 'table' or token.v ~= 1 or type(token.owner) ~= 'table' then return nil end
    return version, path, use, token
end
-- Returns when a token ends by its time, if it does.
local function ends_at(token)
    local ends = type(token['until']) == 'number' and token['until'] or nil
    local overlap = type(token.superseded) == 'table' and token.superseded['until']
    if type(overlap) == 'number' and (not ends or overlap < ends) then ends = overlap end
    return ends
end
-- Takes a token from the indexes in which it can change. What their keys are: ends, revoked, and what those of digests begin with.
local function take(id, token, ends, revoked, digests)
    redis.call('DEL', digests .. token.digest)
    local at = ends_at(token)
    if at then redis.call('ZREM', ends, string.format('%020.0f', at) .. id) end
    redis.call('ZREM', revoked, id)
end
-- Writes a row and what can change of it in the indexes.
local function put(id, row, digest, ends_member, revoked_at, ends, revoked, key)
    redis.call('SET', key, row)
    redis.call('SET', digest, id)
    if ends_member ~= '' then redis.call('ZADD', ends, 0, ends_member) end
    if revoked_at ~= '' then redis.call('ZADD', revoked, revoked_at, id) end
end
-- Adds a token where there is none. KEYS from `at` on: its row, its digest, its owner's tokens, and those below each ancestor. ARGV from `from` on: its
-- id, its row, its entry of the ends, when it was revoked.
local function add(at, from)
    local id = ARGV[from]
    put(id, ARGV[from + 1], KEYS[at + 1], ARGV[from + 2], ARGV[from + 3], KEYS[2], KEYS[3], KEYS[at])
    redis.call('ZADD', KEYS[1], 0, id)
    for list = at + 2, #KEYS do redis.call('ZADD', KEYS[list], 0, id) end
end
