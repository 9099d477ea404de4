-- Ends a family, unless it has ended or does not exist. KEYS: the family. ARGV: the reason.
if redis.call('EXISTS', KEYS[1]) == 1 then return redis.call('HSETNX', KEYS[1], 'ended', ARGV[1]) end
return 0
