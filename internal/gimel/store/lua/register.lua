-- Enters an undeclared experiment in the list, as far as the cap allows.
-- KEYS: declared, undeclared      ARGV: member, cap
-- Answers 1, or 0 when the cap is reached.
if redis.call('SISMEMBER', KEYS[1], ARGV[1]) == 1 then return 1 end
if redis.call('SISMEMBER', KEYS[2], ARGV[1]) == 1 then return 1 end
if redis.call('SCARD', KEYS[2]) >= tonumber(ARGV[2]) then return 0 end
redis.call('SADD', KEYS[2], ARGV[1])
return 1
