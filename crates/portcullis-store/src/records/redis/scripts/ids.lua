-- Returns the ids of a group. KEYS: the group. (A script runs only where its keys are, so that no replica answers it.)
return redis.call('ZRANGE', KEYS[1], 0, -1)
