-- Makes an experiment's hash where there is none.
-- KEYS: experiment      ARGV: id, unix time
if redis.call('EXISTS', KEYS[1]) == 1 then return 0 end
redis.call('HSET', KEYS[1], 'id', ARGV[1], 'state', 'running', 'created', ARGV[2])
return 1
