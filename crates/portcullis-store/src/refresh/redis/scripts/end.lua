-- Ends a family, unless it has ended or does not exist, and takes it from its subject's list: no list has it any more, and no log-out
-- everywhere needs it. KEYS: the family. ARGV: the reason, its id, what the keys of the lists begin with.
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
local is_first = redis.call('HSETNX', KEYS[1], 'ended', ARGV[1])
-- One that cannot be read stays in the list.
local is_json, row = pcall(cjson.decode, redis.call('HGET', KEYS[1], 'family') or '')
local log_in = is_json and type(row) == 'table' and row.log_in
local subject = type(log_in) == 'table' and log_in.subject
if type(subject) == 'string' then redis.call('ZREM', ARGV[3] .. subject, ARGV[2]) end
return is_first
