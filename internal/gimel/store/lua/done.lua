-- Takes entries out of a log that is read, with their place in the group, in one step.
-- KEYS: log      ARGV: group, then the entries
redis.call('XACK', KEYS[1], ARGV[1], unpack(ARGV, 2))
return redis.call('XDEL', KEYS[1], unpack(ARGV, 2))
