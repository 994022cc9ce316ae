-- Gives a lock back, if it is still the caller's.
-- KEYS: lock      ARGV: what the caller has put there
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0
