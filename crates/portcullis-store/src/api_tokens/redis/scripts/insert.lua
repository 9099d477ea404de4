-- Adds a token. KEYS: all, ends, revoked, then those of the token. ARGV: those of the token. Returns whether it was added.
if redis.call('EXISTS', KEYS[4], KEYS[5]) > 0 then return 0 end
add(4, 1)
return 1
