-- Returns the time, and the rows of some records. KEYS: the records.
local time = redis.call('TIME')
return {time[1] * 1000 + math.floor(time[2] / 1000), redis.call('MGET', unpack(KEYS))}
