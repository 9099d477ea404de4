-- Returns a row. KEYS: the row. (A script runs only where its keys are, so that no replica answers it.)
return redis.call('GET', KEYS[1])
