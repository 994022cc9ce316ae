-- Sets the state of an experiment that exists.
-- KEYS: experiment      ARGV: state
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
redis.call('HSET', KEYS[1], 'state', ARGV[1])
return 1
