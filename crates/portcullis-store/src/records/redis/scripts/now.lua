-- Returns the time. KEYS: one of those on this server, so that a cluster finds it.
local time = redis.call('TIME')
return time[1] * 1000 + math.floor(time[2] / 1000)
